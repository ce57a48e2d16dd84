import sql, { join, raw, type Sql } from 'sql-template-tag';
import { TASK_TABLE_COLUMNS } from '../../contract/task.fields.js';
import { cellWriter, shifted, type TimeWriter, utcText } from '../clock.js';
import { type Dialect, isTimeColumn, type TaskTable } from './dialect.js';
import type { Place } from './dialect.js';
import { PartialIndexDialect } from './partial-index.dialect.js';
import { allSame, type Cell, type Rows } from '../rows.js';
import { isLocalTimeColumn, type LocalTimeColumn, type StoredTime } from '../stored-time.js';
import type { Statement } from '../transaction.js';

export class PostgresDialect extends PartialIndexDialect implements Dialect {
  readonly engine = 'postgres';
  readonly clock = milliseconds(sql`statement_timestamp()`);
  /** Not clock_timestamp(): it may differ from row to row, so no index can serve a comparison with it. */
  readonly now = sql`statement_timestamp()`;
  readonly sortKey: Sql;
  readonly claimOrder = sql`priority, created_at NULLS FIRST, id`;
  // The table's own column: an unqualified name means the number of that name, which no index serves.
  readonly listOrder = sql`${this.table}.created_at DESC NULLS LAST, ${this.table}.id DESC`;
  readonly forUpdate = sql`FOR UPDATE`;
  readonly skipLocked = sql`FOR UPDATE SKIP LOCKED`;

  constructor(options: TaskTable) {
    super('postgres', options);
    const created = this.times.created_at.zoned ? sql`created_at AT TIME ZONE 'UTC'` : sql`created_at`;
    this.sortKey = sql`to_char(${created}, 'YYYY-MM-DD HH24:MI:SS.US')`;
  }

  protected order(): Sql {
    return sql`${this.table}.priority, ${this.levelOrder()}`;
  }

  protected levelOrder(): Sql {
    return sql`${this.table}.created_at NULLS FIRST, ${this.table}.id`;
  }

  protected from({ priority, createdAt }: Place, isOneLevel = false): Sql | undefined {
    if (createdAt === null) return isOneLevel ? undefined : sql`priority >= ${priority}`;
    const time = sql`${timeText(createdAt, this.times.created_at)}::${this.typeOf('created_at')}`;
    return isOneLevel ? sql`created_at >= ${time}` : sql`(priority, created_at) >= (${priority}, ${time})`;
  }

  /** The planner can't mistake another index for this one. */
  protected get owner(): Sql {
    return sql`user_id COLLATE "C"`;
  }

  idIn(ids: string[]): Sql {
    return sql`id = ANY (${ids}::text[])`;
  }

  after(seconds: number | Sql): Sql {
    return sql`(statement_timestamp() + make_interval(secs => ${seconds}::double precision))`;
  }

  localAfter(seconds: number, column: LocalTimeColumn = 'updated_at'): Sql {
    const stored = this.times[column];
    // Assigning rounds, and may so give a time in the future.
    const cut = sql`date_trunc(${raw(stored.digits === 0 ? `'second'` : `'milliseconds'`)}, ${this.after(seconds)})`;
    return stored.zoned ? cut : sql`(${cut} AT TIME ZONE ${zone(stored)})`;
  }

  sortTime(text: string): Sql {
    return this.times.created_at.zoned ? sql`${`${text}+00`}::timestamptz` : sql`${text}::timestamp`;
  }

  private typeOf(column: string): Sql {
    return raw(isLocalTimeColumn(column) && !this.times[column].zoned ? 'timestamp' : 'timestamptz');
  }

  bytes(column: string): Sql {
    return sql`OCTET_LENGTH(${this.id(column)}::text)`;
  }

  /**
   * As a number: making a Date of text takes the driver ten times as long, and a host may have changed the driver's
   * parser.
   */
  read(column: string): Sql {
    if (!isTimeColumn(column)) return this.id(column);
    const stored = isLocalTimeColumn(column) ? this.times[column] : undefined;
    if (!stored || stored.zoned) return this.utc(column);
    return milliseconds(sql`${this.id(column)} AT TIME ZONE ${zone(stored)}`);
  }

  utc(column: string): Sql {
    return milliseconds(this.id(column));
  }

  utcValue(time: Date): string {
    return timeText(time);
  }

  /** Columns as arrays, and values that all rows share once: takes half the time of a tuple of parameters per row. */
  insertEach({ columns, rows }: Rows): Statement[] {
    // A host's own columns have types that only the table knows.
    if (!columns.every((column) => column in TASK_TABLE_COLUMNS)) return this.insertTuples({ columns, rows });
    const { arrays, cells } = this.inColumns({ columns, rows });
    const names = join(columns.map((column) => this.id(column)));
    return [sql`INSERT INTO ${this.table} (${names}) SELECT ${join(cells)} FROM ${arrays}`];
  }

  private insertTuples({ columns, rows }: Rows): Statement[] {
    const names = columns.map((column) => this.id(column).sql).join(', ');
    const tuple = (row: number): string =>
      `(${columns.map((_, index) => `$${row * columns.length + index + 1}`).join(', ')})`;
    const tuples = rows.map((_, row) => tuple(row)).join(', ');
    const text = `INSERT INTO ${this.table.sql} (${names}) VALUES ${tuples}`;
    const write = cellWriter(columns, timeText, this.times);
    const values = rows.flatMap(({ cells }) => cells.map(write));
    return [{ sql: text, text, values }];
  }

  /** One statement with the same text for any number of rows: each column of cells is one array. */
  updateEach({ columns, rows }: Rows): Sql[] {
    const { arrays, cells, ids } = this.inColumns({ columns, rows });
    const assignments = columns.map((column, index) => sql`${this.id(column)} = ${cells[index]}`);
    return [sql`UPDATE ${this.table} SET ${join(assignments)} FROM ${arrays} WHERE id = ${ids}`];
  }

  /** Rows as a table of arrays, and an expression per column: a single value if all rows have the same. */
  private inColumns({ columns, rows }: Rows): { arrays: Sql; cells: Sql[]; ids: Sql } {
    const write = cellWriter(columns, timeText, this.times);
    const ids = raw('softdd_id');
    const arrays = [sql`${rows.map((row) => row.id)}::text[]`];
    const names = [ids];
    const cells = columns.map((column, index) => {
      if (column === 'id') return ids;
      const own = rows.map((row) => row.cells[index]);
      if (allSame(own)) return sql`${write(own[0], index)}`;
      const name = raw(`softdd_cell_${index}`);
      arrays.push(sql`${own.map((cell) => write(cell, index))}::${this.arrayType(own[0], column)}`);
      names.push(name);
      return name;
    });
    return { arrays: sql`unnest(${join(arrays)}) AS v(${join(names)})`, cells, ids };
  }

  private arrayType(cell: Cell, column: string): Sql {
    if (isTimeColumn(column)) return sql`${this.typeOf(column)}[]`;
    return raw(typeof cell === 'number' ? 'int[]' : 'text[]');
  }
}

/** Independent of the zone in which the host's driver writes times. */
const timeText: TimeWriter = (time, stored) =>
  stored && !stored.zoned ? utcText(shifted(time, stored.offsetMinutes)) : time.toISOString();

/** The zone of a column that has none. */
const zone = ({ offsetMinutes }: StoredTime): Sql => raw(`INTERVAL '${offsetMinutes} minutes'`);

/** An integer, because the session decides how many digits a float8 shows. */
const milliseconds = (time: Sql): Sql => sql`(extract(epoch FROM ${time}) * 1000)::int8`;
