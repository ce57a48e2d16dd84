import sql from 'sql-template-tag';
import { LEASE_SECONDS } from '../protocol/bounds.js';
import { type Dialect, literal } from '../database/dialects/dialect.js';
import { type Row, type Script, select } from '../database/transaction.js';

/** The tasks that one worker holds of one service. */
export interface WorkerLoad {
  /** null: workers that name no id. */
  workerId: string | null;
  service: string;
  /** Tasks that it holds. */
  running: number;
  /** When the oldest of them began. */
  since: Date | null;
  /** When it last reported on one of them. */
  lastHeard: Date | null;
  /** When the first of their leases ends. */
  leaseExpiresAt: Date | null;
}

/** Rows that one look reads at most. */
const ROWS = 100_000;

/** Who holds which tasks. Reads the index of leases and of times as far as a lease can go, in which also delayed tasks are. */
export class WorkerStore {
  constructor(
    private readonly dialect: Dialect,
    private readonly waiting: number,
    private readonly most = ROWS,
  ) {}

  /** Most tasks first, at most `limit`. */
  *list(limit: number): Script<WorkerLoad[]> {
    const { dialect, waiting } = this;
    // Bounded before waiting tasks are left out: there may be a million of them.
    const due = sql`SELECT worker_id, service, status, started_at, ${dialect.read('updated_at')} AS heard_at, lease_expires_at
      FROM ${dialect.table} WHERE ${dialect.dueAt} <= ${dialect.after(LEASE_SECONDS.max)}
      ORDER BY ${dialect.dueAt} LIMIT ${literal(this.most)}`;
    const held = sql`SELECT worker_id, service, started_at, heard_at, lease_expires_at
      FROM (${due}) due WHERE status <> ${literal(waiting)}`;
    const rows = yield* select(
      sql`SELECT worker_id, service, running, ${dialect.utc('since')} AS since_iso, heard,
          ${dialect.utc('expires')} AS expires_iso
        FROM (SELECT worker_id, service, COUNT(*) AS running, MIN(started_at) AS since, MAX(heard_at) AS heard,
            MIN(lease_expires_at) AS expires FROM (${held}) held GROUP BY worker_id, service) loads
        ORDER BY running DESC, worker_id, service LIMIT ${literal(limit)}`,
    );
    return rows.map((row) => ({
      workerId: row.worker_id as string | null,
      service: row.service as string,
      running: Number(row.running),
      since: timeOf(row, 'since_iso'),
      lastHeard: timeOf(row, 'heard'),
      leaseExpiresAt: timeOf(row, 'expires_iso'),
    }));
  }
}

const timeOf = (row: Row, column: string): Date | null =>
  row[column] === null ? null : new Date(row[column] as string | number);
