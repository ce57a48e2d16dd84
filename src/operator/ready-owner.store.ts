import sql from 'sql-template-tag';
import { type Dialect, literal } from '../database/dialects/dialect.js';
import { type Script, select } from '../database/transaction.js';

/** How many of the ready tasks that were looked at belong to an owner. */
export interface ReadyOwner {
  userId: string;
  ready: number;
}

/** Whose tasks stand first in a service with many ready tasks. */
export interface ReadyOwners {
  /** Tasks that were looked at: the next 1,000 that claims would find. */
  lookedAt: number;
  /** Most tasks first, at most 3. */
  list: ReadyOwner[];
}

/** Ready tasks of a service that are looked at. */
const LOOKED_AT = 1000;
/** Owners that are named. */
const NAMED = 3;

/** Whose the next tasks of a service are. Reads the first tasks in the order of claims, however many are ready. */
export class ReadyOwnerStore {
  constructor(
    private readonly dialect: Dialect,
    private readonly most = LOOKED_AT,
  ) {}

  *of(service: string): Script<ReadyOwners> {
    const { ready, table } = this.dialect;
    const next = sql`SELECT ${table}.user_id AS user_id FROM ${ready.tasks}
      WHERE ${ready.where} AND ${ready.column('service')} = ${service} ORDER BY ${ready.order} LIMIT ${literal(this.most)}`;
    const rows = yield* select<{ user_id: unknown; n: unknown }>(
      sql`SELECT user_id, COUNT(*) AS n FROM (${next}) next_tasks GROUP BY user_id ORDER BY n DESC, user_id`,
    );
    const list = rows.map(({ user_id, n }) => ({ userId: String(user_id ?? ''), ready: Number(n) }));
    return { lookedAt: list.reduce((sum, one) => sum + one.ready, 0), list: list.slice(0, NAMED) };
  }
}
