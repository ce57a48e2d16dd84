import sql, { empty, join, type Sql } from 'sql-template-tag';
import { type Dialect, list, literal } from '../database/dialects/dialect.js';
import { change, type Row, type Script, select } from '../database/transaction.js';
import { METRICS, SUM_COLUMNS } from '../schema/tables/metrics.table.js';
import { type Activity, activityOf } from './activity.js';
import { minuteOf, type RollupRow } from './rollup.js';

/** Rows of one statement. SQLite and PostgreSQL take at least 32,766 parameters, and a row has 45. */
const INSERTED = 500;

/** Minutes since 1970 in UTC: from this one to the one before `to`. */
export interface Minutes {
  from: number;
  to: number;
}

/** The rollup of all processes: what happened in each minute, by service. */
export class RollupStore {
  private readonly table: Sql;
  private readonly sums: Sql;

  constructor(private readonly dialect: Dialect) {
    this.table = dialect.beside(METRICS.suffix);
    this.sums = join(SUM_COLUMNS.map((name) => sql`SUM(${dialect.id(name)}) AS ${dialect.id(name)}`));
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

  /** By the number of the step in which it happened; a step has `length` minutes. Steps in which nothing happened are left out. */
  *steps({ from, to }: Minutes, length: number, service?: string): Script<Map<number, Activity>> {
    const only = service === undefined ? empty : sql`AND service = ${service}`;
    const offset = sql`minute - ${literal(from)}`;
    const rows = yield* select(
      sql`SELECT ${offset} - (${offset}) % ${literal(length)} AS step, ${this.sums} FROM ${this.table}
        WHERE minute >= ${from} AND minute < ${to} ${only} GROUP BY step ORDER BY step`,
    );
    return new Map(rows.map((row) => [Number(row.step) / length, activityOf(row)]));
  }

  /** By service, at most `limit` of them. Services to which nothing happened are left out. */
  *services({ from, to }: Minutes, limit: number, services?: readonly string[]): Script<Map<string, Activity>> {
    if (services?.length === 0) return new Map();
    const only = services ? sql`AND service IN (${list([...services])})` : empty;
    const rows = yield* select<Row & { service: string }>(
      sql`SELECT service, ${this.sums} FROM ${this.table} WHERE minute >= ${from} AND minute < ${to} ${only}
        GROUP BY service ORDER BY service LIMIT ${limit}`,
    );
    return new Map(rows.map((row) => [row.service, activityOf(row)]));
  }

  /** Names of the services to which something happened. */
  *names({ from, to }: Minutes, limit: number): Script<string[]> {
    const rows = yield* select<{ service: string }>(
      sql`SELECT DISTINCT service FROM ${this.table} WHERE minute >= ${from} AND minute < ${to} AND service <> ''
        ORDER BY service LIMIT ${limit}`,
    );
    return rows.map(({ service }) => service);
  }

  /** The database's clock. */
  *now(): Script<Date> {
    const [row] = yield* select<{ softdd_now: string | number }>(sql`SELECT ${this.dialect.clock} AS softdd_now`);
    return new Date(row!.softdd_now);
  }
}
