import type { QueryRunner } from 'typeorm';
import type { TaskStatusCatalogue } from '../contract/status.js';

/** What a task table is made for: its name, and the integers that predicates, triggers and defaults embed. */
export interface TaskSchemaOptions {
  table: string;
  status: TaskStatusCatalogue;
  /** ISO 8601 offset in which an adopted table's `created_at` and `updated_at` were written. */
  timeZone: string;
}

/** One difference between the schema as it is and as it should be, and the statement that ends it. */
export interface SchemaStep {
  /** What is missing or other, for people. */
  what: string;
  sql: string;
}

/** The schema of one engine, declared once: the migration runs what `missing` finds, the check at boot wants none. */
export interface TaskSchema {
  /** Steps from what is there to what should be, in order. None of them is needed twice. */
  missing(runner: QueryRunner): Promise<SchemaStep[]>;
  /** Steps that take away what `missing` added: an adopted table itself stays, with its rows. */
  removal(runner: QueryRunner): Promise<SchemaStep[]>;
}

/** Left in the comment of what we made, so that `down` knows it from what was there before. */
export const MADE = 'made by @softdd/task';

/** Columns that the original's table has in any case. */
export const ORIGINAL_COLUMNS = [
  'id',
  'user_id',
  'service',
  'status',
  'progress',
  'input',
  'args',
  'temp',
  'output',
] as const;

/** Refuses to touch a table of that name that is none of ours. */
export function assertTaskTable(table: string, columns: string[]): void {
  const missing = ORIGINAL_COLUMNS.filter((column) => !columns.includes(column));
  if (missing.length > 0)
    throw new Error(
      `A table \`${table}\` exists and is no task table: it has no column ${missing.join(', ')}. ` +
        'Give the queue a table of its own with the option `table`.',
    );
}

/** When the sweeper must look at a row; NULL for rows that wait for nothing. */
export const dueAt = ({ status }: TaskSchemaOptions, row = ''): string =>
  `CASE WHEN ${row}status = ${status.WAITING} THEN ${row}run_at ELSE ${row}lease_expires_at END`;

/** A table of ours beside the task table, as one engine declares it. */
export interface SideTable {
  name: string;
  /** What it holds, for people. */
  holds: string;
  /** Column -> definition. */
  columns: Record<string, string>;
  /** Index -> its columns, and its predicate where it has one. */
  indexes: Record<string, string>;
}

/** Names of the tables beside a task table that hold what is no task's own. */
export const sideTables = (table: string): string[] => [`${table}_keys`, `${table}_callbacks`];

/** Refuses to use a table of that name that is none of ours. */
export function assertSideTable({ name, holds, columns }: SideTable, present: string[]): void {
  const missing = Object.keys(columns).filter((column) => !present.includes(column));
  if (missing.length > 0)
    throw new Error(
      `A table \`${name}\` exists and is not the queue's table of ${holds}: it has no column ` +
        `${missing.join(', ')}. Rename it, or give the queue another \`table\`.`,
    );
}
