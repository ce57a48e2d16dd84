import sql, { join, raw, type Sql } from 'sql-template-tag';
import { FromNow } from './clock.js';
import { allSame, type CellValue, type Dialect, type RowsUpdate } from './dialect.js';
import { PartialIndexDialect } from './partial-index.dialect.js';

export class PostgresDialect extends PartialIndexDialect implements Dialect {
  readonly engine = 'postgres';
  readonly insertRows = 200;
  /** Not clock_timestamp(), which may differ from row to row, so that no index can serve a comparison with it. */
  readonly now = sql`statement_timestamp()`;
  readonly sortKey = sql`to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')`;
  readonly claimOrder = sql`priority, created_at NULLS FIRST, id`;
  readonly listOrder = sql`created_at DESC NULLS LAST, id DESC`;
  readonly forUpdate = sql`FOR UPDATE`;
  readonly skipLocked = sql`FOR UPDATE SKIP LOCKED`;

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
  updateEach({ columns, rows }: RowsUpdate, returned: Sql): Sql[] {
    const arrays = [sql`${rows.map((row) => row.id)}::text[]`];
    const assignments = columns.map((column, index) => {
      const values = rows.map((row) => row.values[index]!);
      return sql`${this.id(column)} = ${allSame(values) ? this.value(values[0]!) : this.cell(values, arrays)}`;
    });
    const names = arrays.map((_, index) => cellName(index));
    return [
      sql`UPDATE ${this.table} SET ${join(assignments)}, updated_at = ${this.localAfter(0)}
        FROM unnest(${join(arrays)}) AS v(${join(names)}) WHERE id = ${cellName(0)} ${this.returning(returned)}`,
    ];
  }

  private value(value: CellValue): Sql {
    return value instanceof FromNow ? this.after(value.seconds) : sql`${value}`;
  }

  /** A column of `v`. */
  private cell(values: CellValue[], arrays: Sql[]): Sql {
    const name = cellName(arrays.length);
    const [first] = values;
    const type = raw(first instanceof FromNow ? 'double precision[]' : typeof first === 'number' ? 'int[]' : 'text[]');
    arrays.push(sql`${values.map((value) => (value instanceof FromNow ? value.seconds : value))}::${type}`);
    return first instanceof FromNow ? sql`(statement_timestamp() + make_interval(secs => ${name}))` : name;
  }
}

const cellName = (index: number): Sql => raw(`softdd_cell_${index}`);
