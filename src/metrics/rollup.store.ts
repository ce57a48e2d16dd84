import sql, { join, type Sql } from 'sql-template-tag';
import type { Dialect } from '../database/dialects/dialect.js';
import { change, type Script, select } from '../database/transaction.js';
import { METRICS, SUM_COLUMNS } from '../schema/tables/metrics.table.js';
import { minuteOf, type RollupRow } from './rollup.js';

/** Rows of one statement. SQLite and PostgreSQL take at least 32,766 parameters, and a row has 45. */
const INSERTED = 500;

/** The rollup of all processes: what happened in each minute, by service. */
export class RollupStore {
  private readonly table: Sql;

  constructor(private readonly dialect: Dialect) {
    this.table = dialect.beside(METRICS.suffix);
  }

  /** Adds the rows to those of other processes. In one order, so that two processes cannot deadlock. */
  *add(rows: RollupRow[]): Script<void> {
    const { dialect, table } = this;
    const sorted = rows.toSorted((a, b) => a.minute - b.minute || (a.service < b.service ? -1 : 1));
    const columns = join(['minute', 'service', ...SUM_COLUMNS].map((name) => dialect.id(name)));
    for (let from = 0; from < sorted.length; from += INSERTED) {
      const tuples = sorted
        .slice(from, from + INSERTED)
        .map(({ minute, service, sums }) => sql`(${join([minute, service, ...sums])})`);
      yield* change(
        sql`INSERT INTO ${table} (${columns}) VALUES ${join(tuples)}
          ${dialect.onDuplicateAdd(table, METRICS.primaryKey!, SUM_COLUMNS)}`,
      );
    }
  }

  /** Deletes minutes that are over for this many seconds. Returns how many rows it found, at most `limit`. */
  *prune(seconds: number, limit: number): Script<number> {
    const { table } = this;
    const first = minuteOf(yield* this.now()) - Math.ceil(seconds / 60);
    const rows = yield* select<{ minute: unknown }>(
      sql`SELECT minute FROM ${table} WHERE minute < ${first} ORDER BY minute LIMIT ${limit}`,
    );
    if (rows.length > 0) yield* change(sql`DELETE FROM ${table} WHERE minute <= ${Number(rows.at(-1)!.minute)}`);
    return rows.length;
  }

  /** The database's clock. */
  *now(): Script<Date> {
    const [row] = yield* select<{ softdd_now: string | number }>(sql`SELECT ${this.dialect.clock} AS softdd_now`);
    return new Date(row!.softdd_now);
  }
}
