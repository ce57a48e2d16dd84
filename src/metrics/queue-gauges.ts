import type { Task } from '../contract/task.entity.js';
import { reading } from '../database/database.js';
import type { Dialect } from '../database/dialects/dialect.js';
import type { Script } from '../database/transaction.js';
import type { Queue } from '../queue/queue.js';
import { Cached } from './cached.js';
import { GaugeStore } from './gauge.store.js';
import { minuteOf, OTHERS } from './rollup.js';
import type { RollupStore } from './rollup.store.js';

/** Services that are told apart. */
const SERVICES = 200;
/** Minutes for which a service is shown after something happened to it, also if it has no task now. */
const RECENT = 60;

type Kind = 'ready' | 'waiting' | 'running';

/** How many tasks of a service there are now. */
export interface ServiceGauges {
  /** `''`: the services beyond the 200 that are told apart. */
  service: string;
  ready: number;
  /** Waiting for their time: delayed, or before another attempt. */
  waiting: number;
  /** With a worker. */
  running: number;
  /**
   * Seconds since when the task has been ready that has been for the longest: as far as the first 100 in the order of
   * claims, and the first 100 of the lowest priority, show. null if none is ready.
   */
  oldestReadySeconds: number | null;
  /** The numbers that are at least this much: counting ended at 100,000, or earlier for a service of many. */
  atLeast: Kind[];
}

/**
 * What is in the queue now, from the database: the same from each process. Read by indexes, and answered from memory
 * for 2 s, or for longer if reading took long.
 */
export class QueueGauges<T extends Task = Task> {
  private readonly store: GaugeStore;
  private readonly cached = new Cached(() => reading(this.queue.database, () => this.all()));

  /** `named`: services that are always shown. */
  constructor(
    private readonly queue: Queue<T>,
    private readonly dialect: Dialect,
    private readonly rollup: RollupStore,
    private readonly named: readonly string[],
  ) {
    this.store = new GaugeStore(dialect);
  }

  /** By service, in the order of their names. */
  read(): Promise<ServiceGauges[]> {
    return this.cached.get();
  }

  private *all(): Script<ServiceGauges[]> {
    const { store, dialect, rollup } = this;
    const now = yield* rollup.now();
    const withReady = yield* dialect.readyServices(undefined, SERVICES);
    const ready = yield* store.readyOf(withReady);
    const oldest = yield* store.oldestReady(withReady);
    const due = yield* store.due();
    const minute = minuteOf(now) + 1;
    const recent = yield* rollup.names({ from: minute - RECENT, to: minute }, SERVICES);

    const gauges = new GaugeTable([
      ...this.named,
      ...withReady,
      ...due.counts.map(({ service }) => service),
      ...recent,
    ]);
    for (const [service, { count, isMore }] of ready) gauges.add(service, 'ready', count, isMore);
    for (const [service, since] of oldest) gauges.readySince(service, since, now);
    for (const { service, status, count } of due.counts) {
      const kind = this.kindOf(status);
      if (kind) gauges.add(service, kind, count);
    }
    if (due.isMore) gauges.isMore('waiting', 'running');
    if (withReady.length === SERVICES) {
      const total = yield* store.ready();
      const known = [...ready.values()].reduce((sum, { count }) => sum + count, 0);
      gauges.add(OTHERS, 'ready', Math.max(0, total.count - known), total.isMore);
    }
    return gauges.rows();
  }

  /** A row that plain SQL has just moved may still have its lease. */
  private kindOf(status: number): Kind | undefined {
    const { lifeCycle } = this.queue;
    if (lifeCycle.isHeld(status)) return 'running';
    return status === lifeCycle.status.WAITING ? 'waiting' : undefined;
  }
}

/** The gauges of the first services among these. All others share a row. */
class GaugeTable {
  private readonly services: Map<string, ServiceGauges>;

  constructor(services: readonly string[]) {
    const names = [...new Set(services)].filter((name) => name !== OTHERS);
    this.services = new Map(names.slice(0, SERVICES).map((name) => [name, none(name)]));
  }

  add(service: string, kind: Kind, count: number, isMore = false): void {
    const row = this.row(service);
    row[kind] += count;
    if (isMore && !row.atLeast.includes(kind)) row.atLeast.push(kind);
  }

  readySince(service: string, since: Date, now: Date): void {
    const row = this.row(service);
    const seconds = Math.max(0, (now.getTime() - since.getTime()) / 1000);
    row.oldestReadySeconds = Math.max(row.oldestReadySeconds ?? 0, seconds);
  }

  /** The counts of these kinds are not exact, of any service. */
  isMore(...kinds: Kind[]): void {
    for (const row of this.services.values()) row.atLeast.push(...kinds);
  }

  rows(): ServiceGauges[] {
    return [...this.services.values()].sort((a, b) => (a.service < b.service ? -1 : 1));
  }

  private row(service: string): ServiceGauges {
    const row = this.services.get(service) ?? this.services.get(OTHERS) ?? none(OTHERS);
    this.services.set(row.service, row);
    return row;
  }
}

const none = (service: string): ServiceGauges => ({
  service,
  ready: 0,
  waiting: 0,
  running: 0,
  oldestReadySeconds: null,
  atLeast: [],
});
