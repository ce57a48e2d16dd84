import sql from 'sql-template-tag';
import type { Task } from '../../contract/task.entity.js';
import { READ_BYTES, type TaskColumns } from './columns.js';
import type { Dialect } from '../../database/dialects/dialect.js';
import { type Row, type Script, select } from '../../database/transaction.js';

/** The bytes of a row's texts that were left out. 0 if the row is complete. */
const missing = ({ softdd_bytes: bytes }: Row): number => Number(bytes ?? 0);

/** Splits rows, in their order, into slices whose missing texts one statement can read. */
function* slices(rows: Row[]): Generator<Row[]> {
  let slice: Row[] = [];
  let bytes = 0;
  for (const row of rows) {
    if (slice.length > 0 && bytes + missing(row) > READ_BYTES) {
      yield slice;
      [slice, bytes] = [[], 0];
    }
    slice.push(row);
    bytes += missing(row);
  }
  if (slice.length > 0) yield slice;
}

/**
 * A read of many rows leaves out their long texts and returns the sizes instead (TaskColumns.listOf), because it is not
 * known yet whether all of them fit into memory and into the answer. This class reads the texts slice by slice.
 */
export class LongTexts<T extends Task> {
  constructor(
    private readonly dialect: Dialect,
    private readonly columns: TaskColumns<T>,
  ) {}

  /** Passes whole tasks to `take`, in order, until it returns false. Skips rows that were deleted meanwhile. */
  *each(rows: Row[], take: (task: T, row: Row) => boolean): Script<void> {
    for (const slice of slices(rows)) {
      const texts = yield* this.read(slice.filter((row) => missing(row) > 0));
      for (const row of slice) {
        const own = texts.get(row.id);
        if (missing(row) > 0 && !own) continue;
        if (!take(this.columns.toTask(own ? { ...row, ...own } : row), row)) return;
      }
    }
  }

  private *read(rows: Row[]): Script<Map<unknown, Row>> {
    if (rows.length === 0) return new Map();
    const ids = rows.map(({ id }) => id as string);
    const found = yield* select(
      sql`SELECT id, ${this.columns.longList} FROM ${this.dialect.table} WHERE ${this.dialect.idIn(ids)}`,
    );
    return new Map(found.map((row) => [row.id, row]));
  }
}
