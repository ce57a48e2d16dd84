import type { Activity, Overview, ServiceOverview, Stats } from '../../../../protocol/overview.types.js';

/** Something that an operator should look at. */
export interface Trouble {
  kind: 'old' | 'failing' | 'flood' | 'dead' | 'paused';
  /** Empty: it is of no service. */
  service: string;
  /** Of a flood: whose tasks, and their part of those that come next. */
  userId?: string;
  part?: number;
  /** Of dead callbacks: where they should have gone. Empty: those of all other origins. */
  origin?: string;
  dead?: number;
  /** The larger, the more it matters. */
  weight: number;
}

/** What a service does in an hour as a rule. */
export interface Usual {
  /** Attempts that fail. */
  failures: number;
  /** Milliseconds from ready to claimed, of 95 of 100 tasks. null: nothing was claimed. */
  waitMs: number | null;
}

/** Seconds for which a task may be ready without being a trouble. */
const OLD = 60;
/** Failures in an hour that are no trouble. */
const FEW = 5;
/** More than this many times the usual is unusual. */
const TIMES = 2;
/** Ready tasks of a service from which on it matters whose they are, and the part of one owner that is a flood. */
const FLOOD = { ready: 1000, part: 0.5 } as const;

export const failuresOf = ({ failed, retried }: Pick<Activity, 'failed' | 'retried'>): number => failed + retried;

/** From the hours in which the service did something: the median, so that one bad night is not the usual. */
export function usualOf({ points }: Pick<Stats, 'points'>): Usual {
  const active = points.filter(({ started, finished, failed, retried }) => started + finished + failed + retried > 0);
  const waits = active.map(({ waitMs }) => waitMs.p95).filter((wait) => wait !== null);
  return { failures: median(active.map(failuresOf)) ?? 0, waitMs: median(waits) ?? null };
}

function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)];
}

const isOld = ({ paused, oldestReadySeconds }: ServiceOverview): boolean => !paused && (oldestReadySeconds ?? 0) > OLD;
const isFailing = ({ last60m }: ServiceOverview): boolean => failuresOf(last60m) > FEW;

/** Of which services it matters what is usual. */
export const suspects = (services: readonly ServiceOverview[]): string[] =>
  services.filter((service) => isOld(service) || isFailing(service)).map(({ service }) => service);

function oldOf(service: ServiceOverview, usual: Usual): Trouble[] {
  const seconds = service.oldestReadySeconds ?? 0;
  if (!isOld(service) || seconds * 1000 <= TIMES * (usual.waitMs ?? 0)) return [];
  return [{ kind: 'old', service: service.service, weight: 1000 + seconds }];
}

/** A service of which most attempts fail is a trouble also if they have done so for a day. */
function failingOf(one: ServiceOverview, usual: Usual): Trouble[] {
  const failures = failuresOf(one.last60m);
  const isUnusual = failures > TIMES * usual.failures || failures > one.last60m.finished;
  return isFailing(one) && isUnusual ? [{ kind: 'failing', service: one.service, weight: 500 + failures }] : [];
}

function floodOf({ service, ready, owners }: ServiceOverview): Trouble[] {
  const [first] = owners?.list ?? [];
  if (!owners || !first || first.userId === '' || ready < FLOOD.ready) return [];
  const part = first.ready / owners.lookedAt;
  return part >= FLOOD.part ? [{ kind: 'flood', service, userId: first.userId, part, weight: 400 + part }] : [];
}

function deadOf({ dead, deadOrigins }: Overview['callbacks']): Trouble[] {
  const known = deadOrigins.map((one): Trouble => ({ kind: 'dead', service: '', ...one, weight: 300 }));
  const rest = dead - deadOrigins.reduce((sum, one) => sum + one.dead, 0);
  return rest > 0 ? [...known, { kind: 'dead', service: '', origin: '', dead: rest, weight: 299 }] : known;
}

/**
 * What is wrong, the worst first. `usual` has what is known of the suspects: of one that is missing nothing is said yet.
 */
export function troublesOf(
  { services, callbacks }: Pick<Overview, 'services' | 'callbacks'>,
  usual: ReadonlyMap<string, Usual>,
): Trouble[] {
  const ofServices = services.flatMap((one): Trouble[] => {
    const { service, paused } = one;
    const known = usual.get(service);
    return [
      ...(known ? [...oldOf(one, known), ...failingOf(one, known)] : []),
      ...floodOf(one),
      ...(paused ? [{ kind: 'paused' as const, service, weight: 100 }] : []),
    ];
  });
  return [...ofServices, ...deadOf(callbacks)].sort((a, b) => b.weight - a.weight);
}

/** Whether the queue has nothing to do, and had nothing within the last hour: the reader may be new to it. */
export const isUnused = ({ services }: Pick<Overview, 'services'>): boolean =>
  services.every(
    ({ ready, waiting, running, last60m: { created, finished, failed } }) =>
      ready + waiting + running + created + finished + failed === 0,
  );
