import sql, { join, type Sql } from 'sql-template-tag';
import type { Dialect } from '../../database/dialects/dialect.js';
import type { Allowance, Gates, WaitReason } from '../gates.js';
import { type Script, select } from '../../database/transaction.js';

/** The most services that a claim without a service looks at. It bounds what such a claim reads. */
const WINDOW = 200;

/**
 * Chooses the services from which a claim without a service takes tasks. If at most 200 services have ready tasks, it
 * considers all of them in the order of claims. If there are more, each claim looks at the next 200 in the order of
 * their names, so that every service has its turn.
 */
export class ReadyServices {
  /** The last service of the previous window. undefined: the window begins with the first service. */
  private cursor: string | undefined;

  constructor(
    private readonly dialect: Dialect,
    private readonly gates: Gates,
    /** Conditions for a ready row of this service and group. */
    private readonly fits: (service: string, group: string | undefined) => Sql[],
  ) {}

  /**
   * The number of tasks of each service among the first `limit` in the order of claims, then the other services with 0.
   * Locks no task. Services that are paused or full are left out, and `wait` says why nothing is left.
   */
  *shares(
    group: string | undefined,
    limit: number,
    allowance?: Allowance,
  ): Script<{ shares: Map<string, number>; wait?: WaitReason | undefined }> {
    const ready = yield* this.window();
    const shut = yield* this.gates.shut(ready);
    let services = ready.filter((service) => !shut.has(service));
    const wait = ready.map((service) => shut.get(service)).find(Boolean);
    for (;;) {
      const shares = yield* this.sharesOf(services, group, limit);
      if (!allowance) return { shares, wait };
      const chosen = [...shares].filter(([, share]) => share > 0).map(([service]) => service);
      // It may wait for the last service while it holds nothing: neither a task nor another service.
      yield* allowance.enter(chosen, allowance.mayWait && allowance.isFree && services.length === 1);
      const left = services.filter((service) => !chosen.includes(service) || allowance.left(service) > 0);
      if (left.length === services.length) return { shares, wait };
      services = left;
      if (services.length === 0) return { shares: new Map(), wait: wait ?? allowance.reason(chosen[0]!) };
    }
  }

  private *sharesOf(services: string[], group: string | undefined, limit: number): Script<Map<string, number>> {
    if (services.length < 2) return new Map(services.map((service) => [service, limit]));
    const depth = Math.min(limit, Math.ceil((4 * limit) / services.length) + 1);
    const depths = new Map(services.map((service) => [service, depth]));
    for (;;) {
      const shares = new Map<string, number>();
      for (const service of yield* this.front(depths, group, limit))
        shares.set(service, (shares.get(service) ?? 0) + 1);
      // Every row that was read of these services is among the first, so the rows after them may be, too.
      const shallow = [...shares].filter(([service, share]) => share < limit && share === depths.get(service));
      if (shallow.length === 0) return new Map([...shares, ...others(services, shares)]);
      for (const [service, share] of shallow) depths.set(service, Math.min(limit, share * 4));
    }
  }

  /** Whether a service that is not shut has ready tasks. Takes no locks. */
  *hasOpen(shut: Pick<ReadonlyMap<string, unknown>, 'size' | 'has'>): Script<boolean> {
    if (shut.size === 0) return true;
    const services = yield* this.dialect.readyServices(undefined, shut.size + 1);
    return services.some((service) => !shut.has(service));
  }

  private *window(): Script<string[]> {
    const { dialect, cursor } = this;
    const services = yield* dialect.readyServices(cursor, WINDOW);
    if (cursor !== undefined && services.length < WINDOW) {
      // The window wraps around. It has all services after the cursor, so what is new comes before the cursor.
      const known = new Set(services);
      const first = yield* dialect.readyServices(undefined, WINDOW - services.length);
      services.push(...first.filter((service) => !known.has(service)));
    }
    this.cursor = services.length < WINDOW ? undefined : services.at(-1);
    return services;
  }

  /** The services of the first tasks in the order of claims. Reads a number of rows of each service. */
  private *front(depths: Map<string, number>, group: string | undefined, limit: number): Script<string[]> {
    const { engine, ready, claimOrder } = this.dialect;
    const heads = [...depths].map(([service, depth]) => {
      const conditions = join([ready.where, ...this.fits(service, group)], ' AND ');
      const head = sql`SELECT service, priority, created_at, ${ready.taskId} FROM ${ready.rows} WHERE ${conditions}
        ORDER BY ${claimOrder} LIMIT ${depth}`;
      // SQLite accepts no parentheses around it, and elsewhere a derived table would be read once more.
      return engine === 'sqlite' ? sql`SELECT * FROM (${head})` : sql`(${head})`;
    });
    const rows = yield* select<{ service: string }>(
      sql`SELECT service FROM (${join(heads, ' UNION ALL ')}) heads ORDER BY ${claimOrder} LIMIT ${limit}`,
    );
    return rows.map((row) => row.service);
  }
}

const others = (services: string[], shares: Map<string, number>): [string, number][] =>
  services.filter((service) => !shares.has(service)).map((service) => [service, 0]);
