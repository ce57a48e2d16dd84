import sql from 'sql-template-tag';
import { type Dialect, literal } from '../database/dialects/dialect.js';
import { type Script, select } from '../database/transaction.js';

/** How many of the ready tasks that were looked at belong to an owner, and how many of the running ones. */
export interface ReadyOwner {
  userId: string;
  ready: number;
  /** null: the service counts nobody's. */
  running: number | null;
}

/** Whose tasks stand first in a service with many ready tasks, or one in which owners take turns. */
export interface ReadyOwners {
  /** Tasks that were looked at: the next 1,000 that claims would find. */
  lookedAt: number;
  /** Most tasks first, ready or running, at most 5. */
  list: ReadyOwner[];
}

/** Ready tasks of a service that are looked at. */
const LOOKED_AT = 1000;
/** Owners that are named. */
const NAMED = 5;

/** Whose the next tasks of a service are. Reads the first tasks in the order of claims, however many are ready. */
export class ReadyOwnerStore {
  constructor(
    private readonly dialect: Dialect,
    private readonly most = LOOKED_AT,
  ) {}

  /** `running`: how many tasks of each owner run, where that is counted. */
  *of(service: string, running?: ReadonlyMap<string | null, number>): Script<ReadyOwners> {
    const { ready, table } = this.dialect;
    const next = sql`SELECT ${table}.user_id AS user_id FROM ${ready.tasks}
      WHERE ${ready.where} AND ${ready.column('service')} = ${service} ORDER BY ${ready.order} LIMIT ${literal(this.most)}`;
    const rows = yield* select<{ user_id: unknown; n: unknown }>(
      sql`SELECT user_id, COUNT(*) AS n FROM (${next}) next_tasks GROUP BY user_id ORDER BY user_id`,
    );
    const counts = new Map(rows.map(({ user_id, n }) => [String(user_id ?? ''), Number(n)]));
    for (const owner of running?.keys() ?? []) if (!counts.has(owner!)) counts.set(owner!, 0);
    const list = [...counts].map(([userId, ready]): ReadyOwner => ({
      userId,
      ready,
      running: running ? (running.get(userId) ?? 0) : null,
    }));
    const lookedAt = list.reduce((sum, one) => sum + one.ready, 0);
    return { lookedAt, list: list.sort((a, b) => tasksOf(b) - tasksOf(a)).slice(0, NAMED) };
  }
}

const tasksOf = ({ ready, running }: ReadyOwner): number => ready + (running ?? 0);
