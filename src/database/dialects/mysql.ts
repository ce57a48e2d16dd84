import sql, { empty, join, raw, type Sql } from 'sql-template-tag';
import { type Dialect, isTimeColumn, type ReadySource, type Steps, type TaskTable } from './dialect.js';
import { MysqlReadyRows } from './mysql.ready.js';
import { cellWriter, storedText, utcText } from '../clock.js';
import { GrowingSql } from '../growing-sql.js';
import { isoOffset } from '../offset.js';
import { isLocalTimeColumn, type LocalTimeColumn, type StoredTimes, utcOfTimestamp } from '../stored-time.js';
import { allSame, type Rows } from '../rows.js';
import type { QueryResult, Script } from '../transaction.js';

/** MySQL and MariaDB have no partial indexes: see mysql.ready.ts. */
export class MysqlDialect implements Dialect {
  readonly engine = 'mysql';
  readonly clock = sql`DATE_FORMAT(UTC_TIMESTAMP(3), '%Y-%m-%dT%H:%i:%s.%fZ')`;
  readonly table: Sql;
  readonly now = sql`UTC_TIMESTAMP(3)`;
  /** A column of its own, maintained by triggers. */
  readonly dueAt = sql`due_at`;
  readonly sortKey: Sql;
  readonly times: StoredTimes;
  readonly ready: ReadySource;
  private readonly readyRows: MysqlReadyRows;
  readonly running: { rows: Sql; tasks: Sql; where: Sql };
  readonly claimOrder = sql`priority, created_at, task_id`;
  readonly listOrder: Sql;
  readonly forUpdate = sql`FOR UPDATE`;
  readonly skipLocked = sql`FOR UPDATE SKIP LOCKED`;

  constructor(private readonly options: TaskTable) {
    this.table = this.id(options.table);
    this.times = options.times;
    this.sortKey = sql`DATE_FORMAT(${this.stored('created_at')}, '%Y-%m-%d %H:%i:%s.%f')`;
    // The table's own column: an unqualified name means the formatted text of that name, which no index serves.
    this.listOrder = sql`${this.table}.user_id DESC, ${this.table}.created_at DESC, ${this.table}.id DESC`;
    const running = this.beside('running');
    this.running = {
      rows: running,
      tasks: sql`${running} JOIN ${this.table} ON ${this.table}.id = ${running}.task_id`,
      where: sql`1 = 1`,
    };
    this.readyRows = new MysqlReadyRows(this, options);
    this.ready = this.readyRows.source;
  }

  beside(suffix: string): Sql {
    return this.id(`${this.options.table}_${suffix}`);
  }

  id(name: string): Sql {
    return raw(`\`${name.replaceAll('`', '``')}\``);
  }

  after(seconds: number | Sql): Sql {
    return sql`(UTC_TIMESTAMP(3) + INTERVAL ${seconds} SECOND)`;
  }

  localAfter(seconds: number, column: LocalTimeColumn = 'updated_at'): Sql {
    const { zoned, digits, offsetMinutes } = this.times[column];
    // Not UTC_TIMESTAMP(3) into fewer digits: that rounds, and may so give a time in the future.
    const now = raw(`${zoned ? 'NOW' : 'UTC_TIMESTAMP'}(${digits})`);
    return sql`(${now} + INTERVAL ${offsetMinutes * 60 + seconds} SECOND)`;
  }

  sortTime(text: string): Sql {
    const time = sql`CAST(${text} AS DATETIME(6))`;
    return this.times.created_at.zoned ? sql`CONVERT_TZ(${time}, '+00:00', @@session.time_zone)` : time;
  }

  /** A time of `created_at` or `updated_at`, independent of the session's zone. */
  private stored(column: LocalTimeColumn): Sql {
    const name = sql`${this.table}.${this.id(column)}`;
    return this.times[column].zoned ? raw(utcOfTimestamp(name.sql)) : name;
  }

  /** What stands before and after a value. A `timestamp` takes a value in the session's zone. */
  private aroundOf(column: string): [before: string, after: string] {
    const zoned = isLocalTimeColumn(column) && this.times[column].zoned;
    return zoned ? ['CONVERT_TZ(', ", '+00:00', @@session.time_zone)"] : ['', ''];
  }

  /** The driver writes the list. */
  idIn(ids: string[]): Sql {
    return sql`id IN (${ids})`;
  }

  /**
   * Not `=`: MariaDB would look up the owner only, and read the owner's list from the top, however deep the page
   * begins.
   */
  ownedFrom(userId: string): Sql {
    return sql`user_id BETWEEN ${userId} AND ${userId}`;
  }

  insertNew(table: Sql, columnsAndValues: Sql): Sql {
    return sql`INSERT IGNORE INTO ${table} ${columnsAndValues}`;
  }

  onDuplicate(assignments: Sql): Sql {
    return sql`ON DUPLICATE KEY UPDATE ${assignments}`;
  }

  /** MySQL has another form besides VALUES(), which MariaDB does not know. */
  onDuplicateAdd(_table: Sql, _key: readonly string[], columns: readonly string[]): Sql {
    const names = columns.map((name) => this.id(name));
    return this.onDuplicate(join(names.map((name) => sql`${name} = ${name} + VALUES(${name})`)));
  }

  bytes(column: string): Sql {
    return sql`OCTET_LENGTH(${this.id(column)})`;
  }

  read(column: string): Sql {
    if (isLocalTimeColumn(column)) return iso(this.stored(column), isoOffset(this.times[column].offsetMinutes));
    const name = sql`${this.table}.${this.id(column)}`;
    return isTimeColumn(column) ? iso(name, 'Z') : name;
  }

  utc(column: string): Sql {
    return iso(this.id(column), 'Z');
  }

  utcValue(time: Date): string {
    return utcText(time);
  }

  insertEach({ columns, rows }: Rows): Sql[] {
    const names = columns.map((column) => this.id(column).sql).join(', ');
    const write = cellWriter(columns, storedText, this.times);
    const around = columns.map((column) => this.aroundOf(column));
    const text = new GrowingSql(`INSERT INTO ${this.table.sql} (${names}) VALUES (`);
    for (const [row, { cells }] of rows.entries()) {
      if (row > 0) text.add('), (');
      for (const [index, cell] of cells.entries()) {
        const [before, after] = around[index]!;
        text.add(index > 0 ? `, ${before}` : before).value(write(cell, index));
        text.add(after);
      }
    }
    return [text.add(')').end()];
  }

  /** One statement with CASE: the fastest of all forms, and the one that always uses the primary key. */
  updateEach({ columns, rows }: Rows): Sql[] {
    const write = cellWriter(columns, storedText, this.times);
    const text = new GrowingSql(`UPDATE ${this.table.sql} SET `);
    for (const [index, column] of columns.entries()) {
      const [before, after] = this.aroundOf(column);
      text.add(`${index > 0 ? ', ' : ''}${this.id(column).sql} = `);
      const cells = rows.map((row) => row.cells[index]);
      if (allSame(cells)) text.add(before).value(write(cells[0], index)).add(after);
      else {
        text.add('CASE id');
        for (const { id, cells } of rows)
          text.add(' WHEN ').value(id).add(` THEN ${before}`).value(write(cells[index], index)).add(after);
        text.add(' END');
      }
    }
    return [
      text
        .add(' WHERE id IN (')
        .value(rows.map((row) => row.id))
        .add(')')
        .end(),
    ];
  }

  startEach(rows: Rows): Sql[] {
    const ids = rows.rows.map((row) => row.id);
    return this.readyRows.removedTogether(ids, this.updateEach(rows));
  }

  *removeOrphans(fits: Sql, limit: number, source: Pick<ReadySource, 'rows' | 'order'>): Script<number> {
    return yield* this.readyRows.removeOrphans(fits, limit, source);
  }

  /**
   * A skip scan by a chain of variables in one packet. MariaDB reads the whole index for a recursive query over a
   * correlated one, and for a variable that the same statement sets. It starts with short chains, because mostly there
   * are few values. Not `SET … = (SELECT …)`, which locks the row that it reads, also under READ COMMITTED.
   */
  *steps({ from, where, column, after, upTo, most }: Steps): Script<string[]> {
    const names: string[] = [];
    const end = upTo === undefined ? empty : sql`AND ${column} <= ${upTo}`;
    for (let length = 8; names.length < most; length *= 8) {
      const links = Array.from({ length: Math.min(length, most - names.length) }, (_, link) => link);
      const last = names.at(-1) ?? after;
      const follows = (link: number): Sql =>
        link > 0 ? sql`> ${variable(link)}` : last === undefined ? sql`>= ''` : sql`> ${last}`;
      const results: QueryResult[] = yield [
        ...links.map(
          (link) => sql`SELECT (SELECT ${column} FROM ${from}
            WHERE ${where} AND ${column} ${follows(link)} ${end} ORDER BY ${column} LIMIT 1) INTO ${variable(link + 1)}`,
        ),
        sql`SELECT ${join(links.map((link) => variable(link + 1)))}`,
      ];
      const found = Object.values(results.at(-1)!.rows[0]!).filter((name) => name !== null) as string[];
      names.push(...found);
      if (found.length < links.length) break;
    }
    return names;
  }

  readyServices(after: string | undefined, most: number): Script<string[]> {
    const { rows, where } = this.ready;
    return this.steps({ from: rows, where, column: sql`service`, after, most });
  }
}

const variable = (link: number): Sql => raw(`@softdd_${link}`);

const iso = (time: Sql, zone: string): Sql => sql`DATE_FORMAT(${time}, ${raw(`'%Y-%m-%dT%H:%i:%s.%f${zone}'`)})`;
