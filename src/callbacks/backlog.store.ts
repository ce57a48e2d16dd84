import sql, { type Sql } from 'sql-template-tag';
import type { CallbackState } from './callback.js';
import type { Dialect } from '../database/dialects/dialect.js';
import { type Row, type Script, select } from '../database/transaction.js';

/** How many of the newest dead callbacks have an origin. */
export interface DeadOrigin {
  origin: string;
  dead: number;
}

/** Dead callbacks that are looked at, and origins that are named. */
const DEAD = { lookedAt: 1000, named: 10 } as const;

/** What is not delivered, read by the index of states. */
export class BacklogStore {
  private readonly table: Sql;

  constructor(private readonly dialect: Dialect) {
    this.table = dialect.beside('callbacks');
  }

  /** How many are in a state, counted up to `most`. */
  *count(state: CallbackState, most: number): Script<number> {
    const [row] = yield* select<{ count: unknown }>(
      sql`SELECT COUNT(*) AS count FROM (SELECT 1 FROM ${this.table} WHERE state = ${state} LIMIT ${most}) counted`,
    );
    return Number(row!.count);
  }

  /** When the oldest pending one was created. */
  *oldestPending(): Script<Date | undefined> {
    const { dialect } = this;
    const rows = yield* select(
      sql`SELECT ${dialect.utc('created_at')} AS created_iso FROM ${this.table} WHERE state = 'pending'
        ORDER BY id LIMIT 1`,
    );
    return rows.map((row) => new Date(row.created_iso as string | number))[0];
  }

  /** Where the newest 1,000 dead ones should have gone: the 10 origins with most of them. */
  *deadOrigins(): Script<DeadOrigin[]> {
    const newest = sql`SELECT origin FROM ${this.table} WHERE state = 'dead' ORDER BY id DESC LIMIT ${DEAD.lookedAt}`;
    const rows = yield* select<Row>(
      sql`SELECT origin, COUNT(*) AS dead FROM (${newest}) newest GROUP BY origin
        ORDER BY dead DESC, origin LIMIT ${DEAD.named}`,
    );
    return rows.map(({ origin, dead }) => ({ origin: String(origin), dead: Number(dead) }));
  }
}
