import type { Overview, ServiceOverview } from '../../../protocol/overview.types.js';

/** Something that an operator should look at. */
export interface Trouble {
  kind: 'old' | 'failing' | 'paused' | 'callbacks';
  /** Empty: it is of no service alone. */
  service: string;
  /** The larger, the more it matters. */
  weight: number;
}

/** Seconds for which a task may be ready without being a trouble. */
const OLD = 60;
/** Failures in an hour that are no trouble. */
const FEW = 5;
/** The part of the ended attempts that may fail. */
const RATE = 0.1;

const oldOf = ({ service, oldestReadySeconds, paused }: ServiceOverview): Trouble[] =>
  !paused && (oldestReadySeconds ?? 0) > OLD ? [{ kind: 'old', service, weight: 1000 + oldestReadySeconds! }] : [];

function failingOf({ service, last60m: { failed, finished } }: ServiceOverview): Trouble[] {
  if (failed <= FEW || failed < RATE * (failed + finished)) return [];
  return [{ kind: 'failing', service, weight: 500 + failed }];
}

/** What is wrong, the worst first. */
export function troublesOf({ services, callbacks }: Pick<Overview, 'services' | 'callbacks'>): Trouble[] {
  const dead: Trouble[] = callbacks.dead > 0 ? [{ kind: 'callbacks', service: '', weight: 400 }] : [];
  const paused = services
    .filter(({ paused }) => paused)
    .map(({ service }): Trouble => ({ kind: 'paused', service, weight: 100 }));
  return [...services.flatMap(oldOf), ...services.flatMap(failingOf), ...dead, ...paused].sort(
    (a, b) => b.weight - a.weight,
  );
}

/** Whether the queue has nothing to do, and had nothing within the last hour: the reader may be new to it. */
export const isUnused = ({ services }: Pick<Overview, 'services'>): boolean =>
  services.every(
    ({ ready, waiting, running, last60m: { created, finished, failed } }) =>
      ready + waiting + running + created + finished + failed === 0,
  );
