import type { Sql } from 'sql-template-tag';

export type Row = Record<string, unknown>;

/** What one statement gave. */
export interface QueryResult {
  rows: Row[];
  /** Rows changed; 0 for a read. */
  affected: number;
}

/**
 * A script of SQL: a generator that yields statements and is handed their results. It says *what* runs; the database
 * says *how*: over a pooled connection, awaiting each, or on SQLite in one synchronous call, so that no other code of
 * the process can come between BEGIN and COMMIT. A script may be run again from the start (deadlock), so it must keep
 * nothing outside itself.
 */
export type Script<T> = Generator<Sql, T, QueryResult>;

/** Rows of a read. */
export function* select<R = Row>(statement: Sql): Script<R[]> {
  return (yield statement).rows as R[];
}

/** Number of rows that a write changed. */
export function* change(statement: Sql): Script<number> {
  return (yield statement).affected;
}

/** Runs a script over an executor that answers at once. */
export function runSync<T>(script: Script<T>, execute: (statement: Sql) => QueryResult): T {
  let step = script.next();
  while (!step.done) step = script.next(execute(step.value));
  return step.value;
}

/** Runs a script over an executor that answers later. */
export async function runAsync<T>(script: Script<T>, execute: (statement: Sql) => Promise<QueryResult>): Promise<T> {
  let step = script.next();
  while (!step.done) step = script.next(await execute(step.value));
  return step.value;
}
