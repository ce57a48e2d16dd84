import type { Task } from '../../contract/task.entity.js';
import { TASK_COLUMNS } from '../../contract/task.fields.js';
import { isTimeColumn } from '../../database/dialects/dialect.js';
import type { ColumnMetadata } from '../../database/typeorm-internals.js';

/** How to convert the values of one column to and from the database. */
export interface Cast {
  readonly metadata: ColumnMetadata;
  readonly name: string;
  readonly property: string;
  readonly isTime: boolean;
  /** A column of the queue that is stored as it is: neither TypeORM nor the host converts its values. */
  readonly isPlain: boolean;
  readonly isEmbedded: boolean;
  /** Its values may be long. */
  readonly isLong: boolean;
  /** The value of a new row in which the property was not given. */
  readonly initial: unknown;
}

/** Column types of a few bytes. Any other type without a length may hold long values. */
const SHORT_TYPE = /int|serial|num|dec|float|double|real|money|bool|bit|date|time|year|uuid|enum/i;
/** The longest `varchar` that counts as short. */
const SHORT_LENGTH = 1000;

export const castOf = (metadata: ColumnMetadata): Cast => ({
  metadata,
  name: metadata.databaseName,
  property: metadata.propertyName,
  isTime: isTimeColumn(metadata.databaseName),
  isPlain:
    metadata.transformer === undefined &&
    metadata.embeddedMetadata === undefined &&
    TASK_COLUMNS.includes(metadata.propertyName),
  isEmbedded: metadata.embeddedMetadata !== undefined,
  isLong: isLong(metadata),
  initial: (metadata.default as unknown) ?? null,
});

function isLong({ type, length, isArray }: ColumnMetadata): boolean {
  if (length) return Number(length) > SHORT_LENGTH;
  return isArray || !SHORT_TYPE.test(typeof type === 'function' ? type.name : type);
}

/** Gives the property of a task this value. */
export function setValue(task: Task, { metadata, property, isEmbedded }: Cast, value: unknown): void {
  if (isEmbedded) metadata.setEntityValue(task, value);
  else (task as unknown as Record<string, unknown>)[property] = value;
}
