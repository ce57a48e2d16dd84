import sql, { join, raw, type Sql } from 'sql-template-tag';
import { TASK_COLUMN_NAMES } from '../contract/task.entity.js';
import { cellWriter } from './clock.js';
import { type Dialect, isTimeColumn } from './dialect.js';
import type { Place } from './low-water.js';
import { PartialIndexDialect } from './partial-index.dialect.js';
import { allSame, type Cell, type Rows } from './rows.js';
import type { Statement } from './transaction.js';

export class PostgresDialect extends PartialIndexDialect implements Dialect {
  readonly engine = 'postgres';
  readonly clock = milliseconds(sql`statement_timestamp()`);
  /** Not clock_timestamp(), which may differ from row to row, so that no index can serve a comparison with it. */
  readonly now = sql`statement_timestamp()`;
  readonly sortKey = sql`to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')`;
  readonly claimOrder = sql`priority, created_at NULLS FIRST, id`;
  // The table's own column: an unqualified name is the number of that name, which no index serves.
  readonly listOrder = sql`${this.table}.created_at DESC NULLS LAST, ${this.table}.id DESC`;
  readonly forUpdate = sql`FOR UPDATE`;
  readonly skipLocked = sql`FOR UPDATE SKIP LOCKED`;

  protected order(): Sql {
    return sql`${this.table}.priority, ${this.table}.created_at NULLS FIRST, ${this.table}.id`;
  }

  protected from({ priority, createdAt }: Place): Sql {
    return createdAt === null
      ? sql`priority >= ${priority}`
      : sql`(priority, created_at) >= (${priority}, ${createdAt.toISOString()}::timestamptz)`;
  }

  idIn(ids: string[]): Sql {
    return sql`id = ANY (${ids}::text[])`;
  }

  after(seconds: number): Sql {
    return sql`(statement_timestamp() + make_interval(secs => ${seconds}::double precision))`;
  }

  /** `timestamptz` knows its own zone. */
  localAfter(seconds: number): Sql {
    return this.after(seconds);
  }

  sortTime(text: string): Sql {
    return sql`${`${text}+00`}::timestamptz`;
  }

  bytes(column: string): Sql {
    return sql`OCTET_LENGTH(${this.id(column)})`;
  }

  /** As a number: the driver takes ten times as long to make a Date of the text, and a host may have it make something else. */
  read(column: string): Sql {
    return isTimeColumn(column) ? this.utc(column) : this.id(column);
  }

  utc(column: string): Sql {
    return milliseconds(this.id(column));
  }

  /** Columns as arrays, and what all rows share once: half of the time that a tuple of parameters for each row takes. */
  insertEach({ columns, rows }: Rows): Statement[] {
    // A host's own columns have types that only the table knows.
    if (!columns.every((column) => TASK_COLUMN_NAMES.includes(column))) return this.insertTuples({ columns, rows });
    const { arrays, cells } = inColumns({ columns, rows });
    const names = join(columns.map((column) => this.id(column)));
    return [sql`INSERT INTO ${this.table} (${names}) SELECT ${join(cells)} FROM ${arrays}`];
  }

  private insertTuples({ columns, rows }: Rows): Statement[] {
    const names = columns.map((column) => this.id(column).sql).join(', ');
    const tuple = (row: number): string =>
      `(${columns.map((_, index) => `$${row * columns.length + index + 1}`).join(', ')})`;
    const tuples = rows.map((_, row) => tuple(row)).join(', ');
    const text = `INSERT INTO ${this.table.sql} (${names}) VALUES ${tuples}`;
    const write = cellWriter(columns, iso);
    const values = rows.flatMap(({ cells }) => cells.map(write));
    return [{ sql: text, text, values }];
  }

  /** One statement whose text is the same however many rows there are: a column of cells is one array. */
  updateEach({ columns, rows }: Rows): Sql[] {
    const { arrays, cells, ids } = inColumns({ columns, rows });
    const assignments = columns.map((column, index) => sql`${this.id(column)} = ${cells[index]}`);
    return [sql`UPDATE ${this.table} SET ${join(assignments)} FROM ${arrays} WHERE id = ${ids}`];
  }
}

/** Rows as a table of arrays, and how each of their columns is said: as one value where all rows have the same. */
function inColumns({ columns, rows }: Rows): { arrays: Sql; cells: Sql[]; ids: Sql } {
  const write = cellWriter(columns, iso);
  const ids = raw('softdd_id');
  const arrays = [sql`${rows.map((row) => row.id)}::text[]`];
  const names = [ids];
  const cells = columns.map((column, index) => {
    if (column === 'id') return ids;
    const own = rows.map((row) => row.cells[index]);
    if (allSame(own)) return sql`${write(own[0], index)}`;
    const name = raw(`softdd_cell_${index}`);
    arrays.push(sql`${own.map((cell) => write(cell, index))}::${arrayType(own[0], column)}`);
    names.push(name);
    return name;
  });
  return { arrays: sql`unnest(${join(arrays)}) AS v(${join(names)})`, cells, ids };
}

/** Whatever zone the host's driver would write our times in. */
const iso = (time: Date): string => time.toISOString();

const arrayType = (cell: Cell, column: string): Sql =>
  raw(isTimeColumn(column) ? 'timestamptz[]' : typeof cell === 'number' ? 'int[]' : 'text[]');

const milliseconds = (time: Sql): Sql => sql`(extract(epoch FROM ${time}) * 1000)::float8`;
