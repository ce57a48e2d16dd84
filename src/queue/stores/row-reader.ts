import { readTime } from '../../database/read-time.js';
import type { Row } from '../../database/transaction.js';
import { madeCode } from '../../database/made-code.js';

/** A column that is read as the database gives it, or as a time. */
export interface PlainColumn {
  /** The column. */
  name: string;
  /** The property of the task. */
  property: string;
  isTime: boolean;
}

type Properties = Record<string, unknown>;

/** Sets the properties of a task from the columns of a row. */
export type RowReader = (task: object, row: Row) => void;

/** The reader of one registration, as code that names its columns and properties. */
export function rowReader(columns: readonly PlainColumn[]): RowReader {
  const lines = columns.map(({ name, property, isTime }) => {
    const cell = `row[${JSON.stringify(name)}]`;
    return `task[${JSON.stringify(property)}] = ${isTime ? `readTime(${cell})` : cell};`;
  });
  return madeCode({ readTime }, `(task, row) => {\n${lines.join('\n')}\n}`) ?? loopOver(columns);
}

const loopOver =
  (columns: readonly PlainColumn[]): RowReader =>
  (task, row) => {
    for (const { name, property, isTime } of columns)
      (task as Properties)[property] = isTime ? readTime(row[name] as string | number | null) : row[name];
  };
