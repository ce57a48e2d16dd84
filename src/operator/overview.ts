import type { DeadOrigin } from '../callbacks/backlog.store.js';
import type { Callbacks } from '../callbacks/callbacks.service.js';
import { type Database, reading } from '../database/database.js';
import { select } from '../database/transaction.js';
import type { Dialect, Engine } from '../database/dialects/dialect.js';
import type { Services, ServiceState } from '../flow/services.js';
import type { Activity } from '../metrics/activity.js';
import { Cached } from '../metrics/cached.js';
import type { Metrics } from '../metrics/metrics.service.js';
import type { WaitReason } from '../queue/gates.js';
import type { ServiceGauges } from '../metrics/queue-gauges.js';
import { raw } from 'sql-template-tag';
import { VERSION } from '../protocol/version.js';
import { type ReadyOwners, ReadyOwnerStore } from './ready-owner.store.js';
import type { WorkerStore } from './worker.store.js';

/** Where each engine says its version. PostgreSQL's `version()` names the compiler, too. */
const VERSION_OF: Record<Engine, string> = {
  mysql: 'version()',
  postgres: "current_setting('server_version')",
  sqlite: 'sqlite_version()',
};

/** A service as it is now, and what happened to it lately. */
export interface ServiceOverview extends ServiceGauges {
  paused: boolean;
  pausedUntil: Date | null;
  note: string | null;
  /** The most tasks that run at once. null: there is no limit. */
  maxRunning: number | null;
  /** Why claims find no task now, if a pause or a limit is the reason. */
  wait: WaitReason | null;
  /** Whose the next of its ready tasks are. null: fewer than 100 are ready and owners take no turns, or 20 services have more. */
  owners: ReadyOwners | null;
  /** Minutes that have begun count, too. */
  last5m: Activity;
  last60m: Activity;
}

/** What an operator sees first. */
export interface Overview {
  /** In the order of the names. */
  services: ServiceOverview[];
  callbacks: {
    /** Counted up to 100,000, as `dead`. */
    pending: number;
    dead: number;
    oldestPendingSeconds: number | null;
    /** Where the newest 1,000 dead ones should have gone: the 10 origins with most of them. */
    deadOrigins: DeadOrigin[];
  };
  /** How many workers hold tasks, counted up to 1,000. */
  workers: number;
  /** `version`: of this package. */
  server: { version: string; engine: Engine; engineVersion: string };
  /** By the clock of this process. */
  time: Date;
}

/** The parts that an overview is made of. */
export interface OverviewParts {
  database: Database;
  dialect: Dialect;
  metrics: Metrics;
  services: Services;
  callbacks: Callbacks;
  workers: WorkerStore;
}

/** The most workers that are counted. */
const WORKERS = 1000;
/** Owners are looked for in services with at least 100 ready tasks, and where they take turns; in the 20 with most. */
const CROWDED = { services: 20, ready: 100 } as const;

/** Makes overviews: at most one at a time, and the same one for everybody who asks within 2 s. */
export class Overviews {
  private readonly cached = new Cached(() => this.make());
  private readonly readyOwners: ReadyOwnerStore;
  private version: string | undefined;

  constructor(private readonly parts: OverviewParts) {
    this.readyOwners = new ReadyOwnerStore(parts.dialect);
  }

  get(): Promise<Overview> {
    return this.cached.get();
  }

  private async make(): Promise<Overview> {
    const { database, dialect, metrics, services, callbacks, workers } = this.parts;
    const { engine } = dialect;
    this.version ??= await this.readVersion();
    const [gauges, states] = [await metrics.now(), await services.list()];
    const names = new Set([...gauges, ...states].map(({ service }) => service));
    const [last5m, last60m] = [await metrics.recent([...names], 5), await metrics.recent([...names], 60)];
    const stateOf = new Map(states.map((state) => [state.service, state]));
    const gaugesOf = new Map(gauges.map((some) => [some.service, some]));
    const { pending, dead, oldestPending, deadOrigins } = await callbacks.backlog();
    const loads = await reading(database, () => workers.list(WORKERS));
    const owners = await this.ownersOf(gauges, states);
    const time = new Date();
    return {
      services: [...names].sort().map((service) => {
        const {
          paused = false,
          pausedUntil = null,
          note = null,
          maxRunning = null,
          wait = null,
        } = stateOf.get(service) ?? {};
        const now = gaugesOf.get(service) ?? { ...NOTHING, service };
        return {
          ...now,
          paused,
          pausedUntil,
          note,
          maxRunning,
          wait,
          owners: owners.get(service) ?? null,
          last5m: last5m.get(service)!,
          last60m: last60m.get(service)!,
        };
      }),
      callbacks: {
        pending,
        dead,
        oldestPendingSeconds: oldestPending ? Math.max(0, (time.getTime() - oldestPending.getTime()) / 1000) : null,
        deadOrigins,
      },
      workers: new Set(loads.map(({ workerId }) => workerId)).size,
      server: { version: VERSION, engine, engineVersion: this.version },
      time,
    };
  }

  private async ownersOf(
    gauges: readonly ServiceGauges[],
    states: readonly ServiceState[],
  ): Promise<Map<string, ReadyOwners>> {
    const { database, services } = this.parts;
    const inTurns = new Set(states.filter(takesTurns).map(({ service }) => service));
    const isShown = ({ service, ready, running }: ServiceGauges): boolean =>
      ready >= CROWDED.ready || (inTurns.has(service) && ready + running > 0);
    const shown = gauges
      .filter((one) => one.service !== '' && isShown(one))
      .sort((a, b) => b.ready - a.ready)
      .slice(0, CROWDED.services)
      .map(({ service }) => service);
    const running = await services.runningByOwner(shown.filter((service) => inTurns.has(service)));
    const found = new Map<string, ReadyOwners>();
    for (const service of shown)
      found.set(service, await reading(database, () => this.readyOwners.of(service, running.get(service))));
    return found;
  }

  private async readVersion(): Promise<string> {
    const { database, dialect } = this.parts;
    const call = raw(`SELECT ${VERSION_OF[dialect.engine]} AS version`);
    const [row] = await reading(database, () => select<{ version: string }>(call));
    return row!.version;
  }
}

const takesTurns = ({ fair, sources }: ServiceState): boolean => fair !== false || sources.maxRunningPerOwner !== null;

const NOTHING: Omit<ServiceGauges, 'service'> = {
  ready: 0,
  waiting: 0,
  running: 0,
  oldestReadySeconds: null,
  atLeast: [],
};
