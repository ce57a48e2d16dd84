import sql, { join, raw, type Sql } from 'sql-template-tag';
import { allSame, type CellValue, type Dialect, type RowsUpdate } from './dialect.js';
import { PartialIndexDialect } from './partial-index.dialect.js';

export class PostgresDialect extends PartialIndexDialect implements Dialect {
  readonly engine = 'postgres';
  readonly insertRows = 200;
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

  after(seconds: number): Sql {
    return sql`(statement_timestamp() + make_interval(secs => ${seconds}::double precision))`;
  }

  /** `timestamptz` knows its own zone. */
  localAfter(seconds: number): Sql {
    return this.after(seconds);
  }

  time(time: Date): Sql {
    return sql`${time.toISOString()}::timestamptz`;
  }

  localTime(time: Date): Sql {
    return this.time(time);
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

  /** One statement whose text is the same however many rows there are: a column of values is one array. */
  updateEach({ columns, rows }: RowsUpdate): Sql[] {
    const arrays = [sql`${rows.map((row) => row.id)}::text[]`];
    const assignments = columns.map((column, index) => {
      const cells = rows.map(({ values }) => plain(values[index]!));
      if (allSame(cells)) return sql`${this.id(column)} = ${cells[0]}`;
      arrays.push(sql`${cells}::${arrayType(rows[0]!.values[index]!)}`);
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

const plain = (cell: CellValue): CellValue => (cell instanceof Date ? cell.toISOString() : cell);

const arrayType = (cell: CellValue): Sql =>
  raw(cell instanceof Date ? 'timestamptz[]' : typeof cell === 'number' ? 'int[]' : 'text[]');
