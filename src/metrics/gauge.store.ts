import sql, { join, type Sql } from 'sql-template-tag';
import { type Dialect, literal } from '../database/dialects/dialect.js';
import { type Script, select } from '../database/transaction.js';

/** Rows that are counted of each kind. A count of more than this is not exact. */
const COUNTED = 100_000;
/** Of each service the first rows are counted in one statement. Only services with more take another one. */
const FIRST = 1000;
/** Ready rows of all services that are counted beyond the first ones: this many times the most of one service. */
const SERVICES = 3;
/** Ready tasks of which the oldest is looked for, at each end of the queue. */
const HEAD = 100;
/** Parts of one statement: SQLite combines at most 500. */
const PARTS = 200;
/** Pairs of service and status that are told apart. */
const GROUPS = 2000;

/** A number of rows. If `isMore`, there are more. */
export interface Count {
  count: number;
  isMore: boolean;
}

/** How many tasks of a service have a status. */
export interface DueCount {
  service: string;
  status: number;
  count: number;
}

/** Counts by index, each bounded. */
export class GaugeStore {
  constructor(
    private readonly dialect: Dialect,
    private readonly most = COUNTED,
  ) {}

  /** How many tasks are ready, of all services. */
  *ready(): Script<Count> {
    return boundedBy(this.most, yield* this.countReady([undefined], this.most));
  }

  /** How many tasks of each service are ready. The first ones are counted the furthest. */
  *readyOf(services: readonly string[]): Script<Map<string, Count>> {
    const counts = new Map<string, Count>();
    const first = yield* this.countReady(services, FIRST);
    let budget = SERVICES * this.most;
    for (const [place, service] of services.entries()) {
      const least = boundedBy(FIRST, [first[place]!]);
      const most = Math.min(this.most, budget);
      const exact = least.isMore && most > FIRST ? boundedBy(most, yield* this.countReady([service], most)) : least;
      if (exact !== least) budget -= exact.count;
      counts.set(service, exact);
    }
    return counts;
  }

  /** Each counted up to one more than `most`. undefined: ready tasks of any service. */
  private *countReady(services: readonly (string | undefined)[], most: number): Script<number[]> {
    const { ready } = this.dialect;
    const counts: number[] = services.map(() => 0);
    for (let from = 0; from < services.length; from += PARTS) {
      const parts = services.slice(from, from + PARTS).map((service, index) => {
        const fits = service === undefined ? sql`` : sql`AND ${ready.column('service')} = ${service}`;
        const rows = sql`SELECT 1 AS one FROM ${ready.rows} WHERE ${ready.where} ${fits} LIMIT ${literal(most + 1)}`;
        return sql`SELECT ${literal(from + index)} AS place, COUNT(*) AS count FROM (${rows}) ready`;
      });
      const found = yield* select<{ place: unknown; count: unknown }>(join(parts, ' UNION ALL '));
      for (const { place, count } of found) counts[Number(place)] = Number(count);
    }
    return counts;
  }

  /**
   * Since when the task of each service has been ready that has been for the longest: of the first 100 in the order of
   * claims, and of the first 100 of the lowest priority. The last change of a ready task made it ready.
   */
  *oldestReady(services: readonly string[]): Script<Map<string, Date>> {
    const oldest = new Map<string, Date>();
    for (let from = 0; from < services.length; from += PARTS / 2) {
      const some = services.slice(from, from + PARTS / 2);
      const parts = some.flatMap((service, place) => [this.head(place, service), this.tail(place, service)]);
      const rows = yield* select<{ place: unknown; since: string | number | null }>(join(parts, ' UNION ALL '));
      for (const { place, since } of rows) {
        const service = some[Number(place)]!;
        const known = oldest.get(service);
        const time = since === null ? undefined : new Date(since);
        if (time && (!known || time < known)) oldest.set(service, time);
      }
    }
    return oldest;
  }

  private head(place: number, service: string, more = sql``): Sql {
    const { dialect } = this;
    const { table, ready } = dialect;
    const since = sql`CASE WHEN ${table}.updated_at IS NULL THEN ${dialect.read('created_at')} ELSE ${dialect.read('updated_at')} END`;
    const rows = sql`SELECT ${since} AS since FROM ${ready.tasks}
      WHERE ${ready.where} AND ${ready.column('service')} = ${service} ${more} ORDER BY ${ready.order} LIMIT ${literal(HEAD)}`;
    return sql`SELECT ${literal(place)} AS place, MIN(since) AS since FROM (${rows}) head`;
  }

  private tail(place: number, service: string): Sql {
    const { ready } = this.dialect;
    const lowest = sql`SELECT MAX(${ready.column('priority')}) FROM ${ready.rows}
      WHERE ${ready.where} AND ${ready.column('service')} = ${service}`;
    return this.head(place, service, sql`AND ${ready.column('priority')} = (${lowest})`);
  }

  /** Tasks that wait for their time or have a lease, those that are due soonest first. `isMore`: there are more. */
  *due(): Script<{ counts: DueCount[]; isMore: boolean }> {
    const { table, dueAt } = this.dialect;
    const rows = yield* select<Record<keyof DueCount, unknown>>(
      sql`SELECT service, status, COUNT(*) AS count FROM
        (SELECT service, status FROM ${table} WHERE ${dueAt} IS NOT NULL ORDER BY ${dueAt} LIMIT ${literal(this.most + 1)}) due
        GROUP BY service, status ORDER BY count DESC, service LIMIT ${literal(GROUPS)}`,
    );
    const counts = rows.map(({ service, status, count }) => ({
      service: String(service),
      status: Number(status),
      count: Number(count),
    }));
    const total = counts.reduce((sum, { count }) => sum + count, 0);
    return { counts, isMore: total > this.most || counts.length === GROUPS };
  }
}

const boundedBy = (most: number, [count]: number[]): Count => ({
  count: Math.min(count!, most),
  isMore: count! > most,
});
