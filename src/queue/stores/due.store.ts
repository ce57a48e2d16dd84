import sql, { empty, type Sql } from 'sql-template-tag';
import { READ_BYTES } from './columns.js';
import { type Dialect, list, literal, type TaskTable } from '../../database/dialects/dialect.js';
import type { TransitionRow } from '../transitions.js';
import { change, type Script, select } from '../../database/transaction.js';

/** What the job that moves due rows (maintenance/move-due.ts) must know of a row. */
export interface DueRow extends TransitionRow {
  id: string;
  service: string;
  /** False for a running row that plain SQL took. */
  hasLease: boolean;
}

/** After an outage of the queue a worker has this share of its lease to report, at most this many seconds. */
const GRACE = { share: 0.5, most: 300 } as const;

/** Rows that are due, or whose lease has run out. */
export class DueStore {
  constructor(
    private readonly dialect: Dialect,
    private readonly options: TaskTable,
    /** The bytes of a row's long values. */
    private readonly size: Sql,
  ) {}

  /**
   * Ids of due rows, oldest first, as many as one transaction holds, and the database's time. Without the leases whose
   * workers had no chance to renew them in the `watched` seconds since the queue was away. Takes no locks, because
   * mostly there are no such rows. `isAll`: there are no more.
   */
  *ids(limit: number, watched = Infinity): Script<{ ids: string[]; now: Date; isAll: boolean }> {
    const { dialect } = this;
    const due = sql`${dialect.dueAt} <= ${dialect.now} ${this.chance(watched)}`;
    const [clock, rows] = yield [
      sql`SELECT ${dialect.clock} AS softdd_now`,
      sql`SELECT id, ${this.size} AS size FROM ${dialect.table} WHERE ${due} ORDER BY ${dialect.dueAt} LIMIT ${limit}`,
    ];
    let bytes = 0;
    const first = rows!.rows.findIndex(({ size }, place) => (bytes += Number(size)) > READ_BYTES && place > 0);
    const ids = rows!.rows.slice(0, first < 0 ? limit : first).map((row) => row.id as string);
    return {
      ids,
      now: new Date(clock!.rows[0]!.softdd_now as string | number),
      isAll: first < 0 && ids.length < limit,
    };
  }

  private chance(watched: number): Sql {
    if (watched >= GRACE.most) return empty;
    const { WAITING } = this.options.status;
    const longest = Math.floor(watched / GRACE.share);
    const leased = sql`status <> ${literal(WAITING)} AND lease_expires_at IS NOT NULL`;
    return sql`AND NOT (${leased} AND COALESCE(lease_seconds, 0) > ${longest})`;
  }

  /**
   * Shortens leases that end later than possible, because the database's clock was set back: they get their full length
   * from now on. A deviation of 1 s is allowed, because columns round their times. Returns how many of `limit` there
   * were.
   */
  *shorten(limit: number): Script<number> {
    const { dialect } = this;
    const rows = yield* select<{ id: string }>(
      sql`SELECT id FROM ${dialect.table} WHERE ${dialect.dueAt} > ${dialect.now} AND status <> ${literal(this.options.status.WAITING)}
        AND lease_expires_at > ${dialect.after(sql`(lease_seconds + 1)`)} LIMIT ${limit} ${dialect.skipLocked}`,
    );
    if (rows.length > 0)
      yield* change(
        sql`UPDATE ${dialect.table} SET lease_expires_at = ${dialect.after(sql`lease_seconds`)} WHERE id IN (${list(rows.map((row) => row.id))})`,
      );
    return rows.length;
  }

  /** Locks those of the rows that are still due. Skips rows that another process holds. */
  *lock(ids: string[]): Script<DueRow[]> {
    if (ids.length === 0) return [];
    const { dialect } = this;
    const rows = yield* select<Record<keyof DueRow, unknown>>(
      sql`SELECT id, service, status, attempts, releases, lease_seconds AS ${dialect.id('leaseSeconds')}, max_attempts AS ${dialect.id('maxAttempts')},
        lease_token AS ${dialect.id('leaseToken')}, finished_at AS ${dialect.id('finishedAt')},
        unique_key AS ${dialect.id('uniqueKey')}, unique_rule AS ${dialect.id('uniqueRule')},
        CASE WHEN lease_expires_at IS NULL THEN 0 ELSE 1 END AS ${dialect.id('hasLease')} FROM ${dialect.table}
        WHERE id IN (${list(ids)}) AND ${dialect.dueAt} <= ${dialect.now} ${dialect.skipLocked}`,
    );
    return rows.map((row) => ({
      id: String(row.id),
      service: String(row.service),
      status: Number(row.status),
      attempts: Number(row.attempts),
      releases: Number(row.releases),
      hasLease: Number(row.hasLease) === 1,
      finishedAt: row.finishedAt,
      maxAttempts: row.maxAttempts === null ? null : Number(row.maxAttempts),
      leaseToken: row.leaseToken as string | null,
      uniqueKey: row.uniqueKey as string | null,
      uniqueRule: row.uniqueRule as string | null,
      leaseSeconds: row.leaseSeconds === null ? null : Number(row.leaseSeconds),
    }));
  }
}
