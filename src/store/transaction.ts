/** SQL as a driver takes it: with `?` in `sql`, with `$1` in `text`. */
export interface Statement {
  readonly sql: string;
  readonly text: string;
  readonly values: unknown[];
}

export type Row = Record<string, unknown>;

/** What one statement gave. */
export interface QueryResult {
  rows: Row[];
  /** Rows changed; 0 for a read. */
  affected: number;
}

/** A statement whose result its script has no use for: it may travel with the next one, or with COMMIT. */
export class Posted {
  constructor(readonly statement: Statement) {}
}

/**
 * A script of SQL: a generator that yields statements and is handed their results. It says *what* runs; the database
 * says *how*: over a pooled connection, awaiting each, or on SQLite in one synchronous call, so that no other code of
 * the process can come between BEGIN and COMMIT. A script may be run again from the start (deadlock), so it must keep
 * nothing outside itself.
 */
export type Script<T> = Generator<Statement[] | Posted, T, QueryResult[]>;

/** Rows of a read. */
export function* select<R = Row>(statement: Statement): Script<R[]> {
  const [result] = yield [statement];
  return result!.rows as R[];
}

/** Number of rows that a write changed. */
export function* change(statement: Statement): Script<number> {
  const [result] = yield [statement];
  return result!.affected;
}

/** A write that nobody waits for: it is done, or has failed, by the next result or by COMMIT. */
export function* post(statement: Statement): Script<void> {
  yield new Posted(statement);
}

/** Writes of which the last one is posted: many that travel together might be too much for a packet. */
export function* postLast(statements: Iterable<Statement>): Script<void> {
  let last: Statement | undefined;
  for (const statement of statements) {
    if (last) yield* change(last);
    last = statement;
  }
  if (last) yield* post(last);
}

/**
 * Scripts side by side, for those that don't care which of them is ahead: the statements that they wait for travel
 * together, so that all of them take as many round trips as the longest one.
 */
export function* together<T>(scripts: Script<T>[]): Script<T[]> {
  const results: T[] = [];
  let open = scripts.map((script, index) => ({ script, index, step: script.next([]) }));
  for (;;) {
    for (const one of open) {
      for (; !one.step.done && one.step.value instanceof Posted; one.step = one.script.next([])) yield one.step.value;
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
    if (step.value instanceof Posted) execute(step.value.statement);
    step = script.next(step.value instanceof Posted ? [] : step.value.map(execute));
  }
  return step.value;
}

/** Sends statements in one go, and answers what each of them gave; none runs after one that failed. */
export type Send = (statements: Statement[]) => Promise<QueryResult[]>;

/**
 * Runs a script over a connection, in as few round trips as its results allow: `before` goes with its first statement,
 * `after` with its last ones. Where it has no statements, nothing is sent.
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
    if (step.value instanceof Posted) {
      pending = [...pending, step.value.statement];
      step = script.next([]);
    } else {
      const results = await send([...pending, ...step.value]);
      step = script.next(results.slice(pending.length));
      pending = [];
    }
  }
  const rest = [...pending, ...after];
  if (pending !== before && rest.length > 0) await send(rest);
  return step.value;
}
