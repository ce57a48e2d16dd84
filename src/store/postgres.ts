import sql, { join, raw, type Sql } from 'sql-template-tag';
import { type Dialect, isTimeColumn } from './dialect.js';
import type { Place } from './low-water.js';
import { PartialIndexDialect } from './partial-index.dialect.js';
import { allSame, type Cell, type Rows } from './rows.js';
import type { Statement } from './transaction.js';

export class PostgresDialect extends PartialIndexDialect implements Dialect {
  readonly engine = 'postgres';
  readonly clock = sql`statement_timestamp()`;
  /** Not clock_timestamp(), which may differ from row to row, so that no index can serve a comparison with it. */
  readonly now = sql`statement_timestamp()`;
  readonly sortKey = sql`to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')`;
  readonly claimOrder = this.order();
  readonly listOrder = sql`created_at DESC NULLS LAST, id DESC`;
  readonly forUpdate = sql`FOR UPDATE`;
  readonly skipLocked = sql`FOR UPDATE SKIP LOCKED`;

  protected order(): Sql {
    return sql`priority, created_at NULLS FIRST, id`;
  }

  protected from({ priority, createdAt }: Place): Sql {
    return createdAt === null
      ? sql`priority >= ${priority}`
      : sql`(priority, created_at) >= (${priority}, ${createdAt.toISOString()}::timestamptz)`;
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

  read(column: string): Sql {
    return this.id(column);
  }

  utc(column: string): Sql {
    return this.id(column);
  }

  insertEach({ columns, rows }: Rows): Statement[] {
    const names = columns.map((column) => this.id(column).sql).join(', ');
    const tuple = (row: number): string =>
      `(${columns.map((_, index) => `$${row * columns.length + index + 1}`).join(', ')})`;
    const tuples = rows.map((_, row) => tuple(row)).join(', ');
    const text = `INSERT INTO ${this.table.sql} (${names}) VALUES ${tuples}`;
    const values = rows.flatMap(({ cells }) => cells.map((cell, index) => stored(cell, columns[index]!)));
    return [{ sql: text, text, values }];
  }

  /** One statement whose text is the same however many rows there are: a column of cells is one array. */
  updateEach({ columns, rows }: Rows): Sql[] {
    const arrays = [sql`${rows.map((row) => row.id)}::text[]`];
    const assignments = columns.map((column, index) => {
      const cells = rows.map((row) => stored(row.cells[index], column));
      if (allSame(cells)) return sql`${this.id(column)} = ${cells[0]}`;
      arrays.push(sql`${cells}::${arrayType(cells[0], column)}`);
      return sql`${this.id(column)} = ${cellName(arrays.length - 1)}`;
    });
    const names = arrays.map((_, index) => cellName(index));
    return [
      sql`UPDATE ${this.table} SET ${join(assignments)} FROM unnest(${join(arrays)}) AS v(${join(names)})
        WHERE id = ${cellName(0)}`,
    ];
  }
}

const cellName = (index: number): Sql => raw(`softdd_cell_${index}`);

/** Whatever zone the host's driver would write our times in. */
const stored = (cell: Cell, column: string): Cell =>
  cell instanceof Date && isTimeColumn(column) ? cell.toISOString() : cell;

const arrayType = (cell: Cell, column: string): Sql =>
  raw(isTimeColumn(column) ? 'timestamptz[]' : typeof cell === 'number' ? 'int[]' : 'text[]');
