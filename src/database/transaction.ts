import { charsOf, LARGE_CHARS, noteSize } from './packets.js';

/** SQL as a driver takes it: with `?` in `sql`, with `$1` in `text`. */
export interface Statement {
  readonly sql: string;
  readonly text: string;
  /** The text between the values, as MySQL's connection takes it. Omitted: the statement has none, or is for another engine. */
  readonly strings?: readonly string[];
  readonly values: unknown[];
}

export type Row = Record<string, unknown>;

/** The result of one statement. */
export interface QueryResult {
  rows: Row[];
  /** Rows changed. 0 for a read. */
  affected: number;
}

/** A statement whose result the script does not need: it may travel with the next one, or with COMMIT. */
export class Deferred {
  constructor(readonly statement: Statement) {}
}

/**
 * A script of SQL: a generator that yields statements and receives their results. It says *what* runs, and the database
 * says *how*: over a pooled connection, awaiting each, or on SQLite in one synchronous call, so that no other code of
 * the process runs between BEGIN and COMMIT. A script may run again from the start (deadlock), so it must store nothing
 * outside itself.
 */
export type Script<T> = Generator<Statement[] | Deferred, T, QueryResult[]>;

/** The rows of a read. */
export function* select<R = Row>(statement: Statement): Script<R[]> {
  const [result] = yield [statement];
  return result!.rows as R[];
}

/** The number of rows that a write changed. */
export function* change(statement: Statement): Script<number> {
  const [result] = yield [statement];
  return result!.affected;
}

/** A write that the script does not wait for: it has run, or failed, by the next result or by COMMIT. */
export function* post(statement: Statement): Script<void> {
  yield new Deferred(statement);
}

/** Posts only the last of these writes: too many together might exceed a packet. The statements of one stay together. */
export function* postLast(writes: Iterable<Statement | Statement[]>): Script<void> {
  let last: Statement[] = [];
  for (const write of writes) {
    if (last.length > 0) yield last;
    last = [write].flat();
  }
  for (const statement of last) yield* post(statement);
}

/**
 * Runs scripts side by side, if their order does not matter: the statements that they wait for travel together, so that
 * all of them need only as many round trips as the longest one.
 */
export function* together<T>(scripts: Script<T>[]): Script<T[]> {
  const results: T[] = [];
  let open = scripts.map((script, index) => ({ script, index, step: script.next([]) }));
  for (;;) {
    for (const one of open) {
      for (; !one.step.done && one.step.value instanceof Deferred; one.step = one.script.next([])) yield one.step.value;
      if (one.step.done) results[one.index] = one.step.value;
    }
    open = open.filter(({ step }) => !step.done);
    if (open.length === 0) return results;
    const asked = open.map(({ step }) => step.value as Statement[]);
    const answers = yield asked.flat();
    let from = 0;
    for (const [place, one] of open.entries()) {
      const to = from + asked[place]!.length;
      one.step = one.script.next(answers.slice(from, to));
      from = to;
    }
  }
}

/** Runs a script over an executor that answers at once. */
export function runSync<T>(script: Script<T>, execute: (statement: Statement) => QueryResult): T {
  let step = script.next([]);
  while (!step.done) {
    if (step.value instanceof Deferred) execute(step.value.statement);
    step = script.next(step.value instanceof Deferred ? [] : step.value.map(execute));
  }
  return step.value;
}

/** Sends statements together, and returns the result of each. After a failed statement none runs. */
export type Send = (statements: Statement[]) => Promise<QueryResult[]>;

/**
 * Runs a script over a connection in as few round trips as its results allow: `before` goes with its first statement,
 * `after` with its last ones. If the script has no statements, nothing is sent.
 */
export async function runAsync<T>(
  script: Script<T>,
  send: Send,
  before: Statement[] = [],
  after: Statement[] = [],
): Promise<T> {
  let pending = before;
  let step = script.next([]);
  while (!step.done) {
    if (step.value instanceof Deferred) {
      pending = [...pending, step.value.statement];
      step = script.next([]);
    } else {
      const results = await sendNoting(send, [...pending, ...step.value]);
      step = script.next(results.slice(pending.length));
      pending = [];
    }
  }
  if (pending === before) return step.value;
  // If a server cuts the connection because of a packet's size, COMMIT was not in that packet.
  if (after.length > 0 && charsOf(pending) >= LARGE_CHARS) {
    await sendNoting(send, pending);
    pending = [];
  }
  const rest = [...pending, ...after];
  if (rest.length > 0) await send(rest);
  return step.value;
}

async function sendNoting(send: Send, statements: Statement[]): Promise<QueryResult[]> {
  try {
    return await send(statements);
  } catch (error) {
    noteSize(error, charsOf(statements));
    throw error;
  }
}
