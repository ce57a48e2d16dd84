import sql, { empty, type Sql } from 'sql-template-tag';
import { type Dialect, list } from '../database/dialects/dialect.js';
import { change, post, type Row, type Script, select } from '../database/transaction.js';
import type { Position } from '../queue/stores/list.store.js';
import type { BulkAction, ChangedMany } from '../queue/use-cases/change-many.js';
import type { Bulk, BulkState } from './bulk.js';

export interface NewBulk {
  id: string;
  userId: string | null;
  requestedBy: string | null;
  action: BulkAction;
  filter: object;
  /** The newest task at this time: later ones stay as they are. */
  lastId: string;
}

/** A bulk that this process works off until its lease runs out. */
export interface TakenBulk {
  id: string;
  token: string;
  userId: string | null;
  action: BulkAction;
  filter: Record<string, unknown>;
  lastId: string;
  position: Position | undefined;
}

/** Seconds after which another process may continue a bulk. */
const LEASE = 30;

/** Bulks in the database. While `due_at` is set, the bulk is open: due now, or leased until then. */
export class BulkStore {
  private readonly table: Sql;

  constructor(private readonly dialect: Dialect) {
    this.table = dialect.beside('bulks');
  }

  *insert({ id, userId, requestedBy, action, filter, lastId }: NewBulk): Script<void> {
    const { dialect } = this;
    yield* change(
      sql`INSERT INTO ${this.table} (id, user_id, requested_by, action, filter, last_id, state, due_at, created_at)
        VALUES (${id}, ${userId}, ${requestedBy}, ${action}, ${JSON.stringify(filter)}, ${lastId}, 'running',
          ${dialect.now}, ${dialect.now})`,
    );
  }

  /** Leases the bulk that has been due longest. undefined: none is due. */
  *take(token: string): Script<TakenBulk | undefined> {
    const { dialect, table } = this;
    const [row] = yield* select(
      sql`SELECT id, user_id, action, filter, last_id, position FROM ${table} WHERE due_at <= ${dialect.now}
        ORDER BY due_at LIMIT 1 ${dialect.skipLocked}`,
    );
    if (!row) return undefined;
    yield* change(
      sql`UPDATE ${table} SET due_at = ${dialect.after(LEASE)}, lease_token = ${token} WHERE id = ${row.id as string}`,
    );
    return {
      id: row.id as string,
      token,
      userId: row.user_id as string | null,
      action: row.action as BulkAction,
      filter: JSON.parse(row.filter as string) as Record<string, unknown>,
      lastId: row.last_id as string,
      position: row.position === null ? undefined : (JSON.parse(row.position as string) as Position),
    };
  }

  /**
   * Counts what was done and moves on to a position, in the transaction that did it. undefined: that was the end.
   * Returns whether the bulk goes on; throws if this process no longer has it, so that nothing was done twice.
   */
  *advance({ id, token }: TakenBulk, position: Position | undefined, { done, failed }: ChangedMany): Script<boolean> {
    const { dialect, table } = this;
    const next = position
      ? sql`position = ${JSON.stringify(position)}, due_at = ${dialect.after(LEASE)}`
      : sql`state = 'done', due_at = NULL, lease_token = NULL, ended_at = ${dialect.now}`;
    const changed = yield* change(
      sql`UPDATE ${table} SET matched = matched + ${done + failed}, done = done + ${done}, failed = failed + ${failed},
        ${next} WHERE id = ${id} AND lease_token = ${token} AND state = 'running'`,
    );
    if (changed === 0) throw new BulkLost();
    return position !== undefined;
  }

  /** Gives a bulk back, for another process or a later look. */
  *release({ id, token }: TakenBulk): Script<void> {
    const { dialect, table } = this;
    yield* post(sql`UPDATE ${table} SET due_at = ${dialect.now} WHERE id = ${id} AND lease_token = ${token}`);
  }

  /** Ends it early. */
  *abort(id: string): Script<void> {
    const { dialect, table } = this;
    yield* change(
      sql`UPDATE ${table} SET state = 'aborted', due_at = NULL, lease_token = NULL, ended_at = ${dialect.now}
        WHERE id = ${id} AND state = 'running'`,
    );
  }

  /** Whether a bulk is open, in this process or another. */
  *hasOpen(): Script<boolean> {
    return (yield* select(sql`SELECT 1 AS found FROM ${this.table} WHERE due_at IS NOT NULL LIMIT 1`)).length > 0;
  }

  *find(id: string): Script<Bulk | undefined> {
    return (yield* select(sql`SELECT ${this.columns} FROM ${this.table} WHERE id = ${id}`)).map(toBulk)[0];
  }

  /** Newest first. With an owner: only that owner's. */
  *list(userId: string | undefined, before: string | undefined, limit: number): Script<Bulk[]> {
    const owned = userId === undefined ? empty : sql`AND user_id = ${userId}`;
    const after = before === undefined ? empty : sql`AND id < ${before}`;
    const rows = yield* select(
      sql`SELECT ${this.columns} FROM ${this.table} WHERE 1 = 1 ${owned} ${after} ORDER BY id DESC LIMIT ${limit}`,
    );
    return rows.map(toBulk);
  }

  /** Deletes some bulks that ended more than `seconds` ago. */
  *purge(seconds: number, limit: number): Script<number> {
    const { dialect, table } = this;
    const rows = yield* select<{ id: string }>(
      sql`SELECT id FROM ${table} WHERE ended_at <= ${dialect.after(-seconds)} LIMIT ${limit} ${dialect.skipLocked}`,
    );
    if (rows.length > 0) yield* post(sql`DELETE FROM ${table} WHERE id IN (${list(rows.map(({ id }) => id))})`);
    return rows.length;
  }

  private get columns(): Sql {
    const { dialect } = this;
    const time = (column: string): Sql => sql`${dialect.utc(column)} AS ${dialect.id(`${column}_iso`)}`;
    return sql`id, user_id, requested_by, action, filter, state, matched, done, failed, ${time('created_at')},
      ${time('ended_at')}`;
  }
}

/** Another process continues the bulk, or it was aborted. */
export class BulkLost extends Error {}

const toBulk = (row: Row): Bulk => ({
  bulkId: row.id as string,
  action: row.action as BulkAction,
  state: row.state as BulkState,
  matched: Number(row.matched),
  done: Number(row.done),
  failed: Number(row.failed),
  filter: JSON.parse(row.filter as string) as Record<string, unknown>,
  userId: row.user_id as string | null,
  requestedBy: row.requested_by as string | null,
  createdAt: new Date(row.created_at_iso as string | number),
  endedAt: row.ended_at_iso === null ? null : new Date(row.ended_at_iso as string | number),
});
