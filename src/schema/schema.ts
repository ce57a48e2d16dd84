import type { TaskStatusCatalogue } from '../contract/status.js';
import type { StoredTimes } from '../database/stored-time.js';
import type { SideTable } from './tables/table.js';

/** What a task table depends on: its name, and the integers that predicates, triggers and defaults embed. */
export interface TaskSchemaOptions {
  table: string;
  status: TaskStatusCatalogue;
  /** ISO 8601 offset in which an adopted table's `created_at` and `updated_at` were written. */
  timeZone: string;
  /** Owners may take turns. */
  turns: boolean;
}

/** One difference between the actual and the declared schema, and the statement that removes it. */
export interface SchemaStep {
  /** What is missing or different, for people. */
  what: string;
  sql: string;
  /** Its effect on a table in use, for people. Such steps are logged with rows and time. */
  effect?: string;
  /**
   * The table over whose rows it runs: once for every few thousand of them, each time with a condition on `id` in the
   * place of `IN_PIECE`, so that it locks few rows at once.
   */
  piecesOf?: string;
}

/** Where a step in pieces gets its condition. */
export const IN_PIECE = '/* in this piece */';

/** The declared tables in one database. The migration runs the steps of `missing`; the check at boot expects none. */
export interface TaskSchema {
  /** Steps from the actual to the declared schema, in order. None of them is needed twice. */
  missing(): Promise<SchemaStep[]>;
  /** How the existing table keeps `created_at` and `updated_at`: as before. */
  times(): Promise<StoredTimes>;
  /** Steps that remove what `missing` added. An adopted table itself stays, with its rows. */
  removal(): Promise<SchemaStep[]>;
  /** Steps that remove these tables. */
  removalOf(sides: readonly SideTable[]): SchemaStep[];
}

/** In the comment of everything that we created, so that `down` can tell it from what was there before. */
export const MADE = 'made by @softdd/task';
