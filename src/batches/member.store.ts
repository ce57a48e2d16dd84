import sql, { join, type Sql } from 'sql-template-tag';
import { type Dialect, list, literal } from '../database/dialects/dialect.js';
import { change, post, postLast, type Row, type Script, select, type Statement } from '../database/transaction.js';

/** How a task has ended, as far as its batch has counted it. */
export const OUTCOME = { finished: 1, failed: 2, cancelled: 3 } as const;
export type Outcome = (typeof OUTCOME)[keyof typeof OUTCOME];

/** What is to be done about a task of a batch. */
export const STEP = { tell: 1, run: 2, fail: 3 } as const;
export type Step = (typeof STEP)[keyof typeof STEP];

/** A task of a batch: its id, and its batch. */
export interface MemberId {
  batchId: string;
  taskId: string;
}

/** A new task of a batch. */
export interface NewMember extends MemberId {
  ref: string | undefined;
  /** The tasks that it waits for. */
  needs: string[];
  runsAnyway: boolean;
  /** Other tasks wait for it. */
  leads: boolean;
  layer: number;
}

export interface Member extends MemberId {
  outcome: Outcome | null;
  leads: boolean;
  todo: Step | null;
}

/** Rows of one statement. */
const ROWS = 500;

/** The tasks of batches, and which waits for which. */
export class MemberStore {
  private readonly table: Sql;
  private readonly edges: Sql;

  constructor(private readonly dialect: Dialect) {
    this.table = dialect.beside('batch_members');
    this.edges = dialect.beside('batch_dependencies');
  }

  *insert(members: NewMember[]): Script<void> {
    yield* postLast(this.inserts(members));
  }

  private *inserts(members: NewMember[]): Generator<Statement> {
    for (const some of pieces(members)) {
      const rows = some.map(
        ({ batchId, taskId, ref, needs, runsAnyway, leads, layer }) =>
          sql`(${batchId}, ${taskId}, ${ref ?? null}, ${needs.length}, ${needs.length > 0 ? 1 : 0},
            ${runsAnyway ? 1 : 0}, ${leads ? 1 : 0}, ${layer})`,
      );
      yield sql`INSERT INTO ${this.table} (batch_id, task_id, ref, waits, blocked, runs_anyway, leads, layer)
        VALUES ${join(rows)}`;
    }
    const edges = members.flatMap(({ batchId, taskId, needs }) => needs.map((need) => ({ batchId, taskId, need })));
    for (const some of pieces(edges)) {
      const rows = some.map(({ batchId, need, taskId }) => sql`(${batchId}, ${need}, ${taskId})`);
      yield sql`INSERT INTO ${this.edges} (batch_id, needs, task_id) VALUES ${join(rows)}`;
    }
  }

  /** Those of the tasks that are members. */
  *find(ids: MemberId[]): Script<Member[]> {
    if (ids.length === 0) return [];
    return yield* this.some(this.are(ids));
  }

  /** The first tasks of a batch, in the order in which they were created. */
  *first(batchId: string, limit: number): Script<string[]> {
    return (yield* this.some(sql`batch_id = ${batchId} ORDER BY task_id LIMIT ${limit}`)).map(({ taskId }) => taskId);
  }

  /** Tasks of a batch about which something is to be done. */
  *todo(batchId: string, limit: number): Script<Member[]> {
    return yield* this.some(sql`batch_id = ${batchId} AND todo IS NOT NULL ORDER BY todo LIMIT ${limit}`);
  }

  /** Tasks of a batch that have not ended, after an id. */
  *open(batchId: string, after: string, limit: number): Script<string[]> {
    const rows = yield* this.some(
      sql`batch_id = ${batchId} AND task_id > ${after} AND outcome IS NULL ORDER BY task_id LIMIT ${limit}`,
    );
    return rows.map(({ taskId }) => taskId);
  }

  /** How many tasks of a batch that it has not counted as ended have each status. */
  *statuses(batchId: string): Script<{ status: number; count: number }[]> {
    const { table, dialect } = this;
    const rows = yield* select<{ status: unknown; count: unknown }>(
      sql`SELECT task.status AS status, COUNT(*) AS count FROM ${table} member
        JOIN ${dialect.table} task ON task.id = member.task_id
        WHERE member.batch_id = ${batchId} AND member.outcome IS NULL GROUP BY task.status`,
    );
    return rows.map(({ status, count }) => ({ status: Number(status), count: Number(count) }));
  }

  /** Tasks that their batch has not counted as ended, although plain SQL ended or deleted them. */
  *uncounted(batchId: string, ended: readonly number[], limit: number): Script<string[]> {
    const { table, dialect } = this;
    const rows = yield* select<{ task_id: string }>(
      sql`SELECT member.task_id FROM ${table} member LEFT JOIN ${dialect.table} task ON task.id = member.task_id
        WHERE member.batch_id = ${batchId} AND member.outcome IS NULL
          AND (task.id IS NULL OR task.status IN (${list([...ended])}))
        LIMIT ${limit}`,
    );
    return rows.map((row) => row.task_id);
  }

  /** Counts these tasks as ended in this way, or, with null, as running again. */
  *mark(ids: MemberId[], outcome: Outcome | null): Script<void> {
    const todo = sql`CASE WHEN leads = 1 THEN ${literal(STEP.tell)} END`;
    const rest = outcome === null ? sql`todo = NULL` : sql`todo = ${todo}, blocked = 0`;
    yield* post(sql`UPDATE ${this.table} SET outcome = ${outcome}, ${rest} WHERE ${this.are(ids)}`);
  }

  /** Nothing is to be done about these tasks any more: what they waited for has ended, or no longer matters. */
  *done(batchId: string, taskIds: string[], todos: Step[]): Script<void> {
    if (taskIds.length === 0) return;
    yield* post(
      sql`UPDATE ${this.table} SET todo = NULL, blocked = 0
        WHERE batch_id = ${batchId} AND task_id IN (${list(taskIds)}) AND todo IN (${list(todos)})`,
    );
  }

  /** The tasks that wait for these have been told of their end. */
  *told(batchId: string, taskIds: string[]): Script<void> {
    yield* post(
      sql`UPDATE ${this.table} SET leads = CASE WHEN outcome IS NULL THEN leads ELSE 0 END, todo = NULL
        WHERE batch_id = ${batchId} AND task_id IN (${list(taskIds)}) AND todo = ${STEP.tell}`,
    );
  }

  /** Which tasks wait for these. */
  *dependents(batchId: string, needs: string[]): Script<{ needs: string; taskId: string }[]> {
    const rows = yield* select<{ needs: string; task_id: string }>(
      sql`SELECT needs, task_id FROM ${this.edges} WHERE batch_id = ${batchId} AND needs IN (${list(needs)})`,
    );
    return rows.map((row) => ({ needs: row.needs, taskId: row.task_id }));
  }

  /** `ended` of the tasks that each of these waits for have ended. Those that wait for no more are to be run. */
  *release(batchId: string, taskIds: string[], ended: number): Script<void> {
    for (const some of pieces(taskIds))
      // MySQL assigns from left to right: `todo` comes before `waits`.
      yield* post(
        sql`UPDATE ${this.table} SET todo = CASE WHEN blocked = 1 AND waits <= ${ended} THEN ${literal(STEP.run)} ELSE todo END,
            waits = waits - ${ended}
          WHERE batch_id = ${batchId} AND task_id IN (${list(some)})`,
      );
  }

  /** One of the tasks that these wait for has failed. Those that do not run anyway are to fail. */
  *doom(batchId: string, taskIds: string[]): Script<void> {
    for (const some of pieces(taskIds))
      yield* post(
        sql`UPDATE ${this.table} SET todo = ${STEP.fail}
          WHERE batch_id = ${batchId} AND task_id IN (${list(some)}) AND blocked = 1 AND runs_anyway = 0`,
      );
  }

  /** Deletes at least `limit` rows of a batch, if there are as many. Returns how many. */
  *purge(batchId: string, limit: number): Script<number> {
    const edges = yield* this.purgeFrom(this.edges, sql`needs`, batchId, limit);
    return edges >= limit ? edges : edges + (yield* this.purgeFrom(this.table, sql`task_id`, batchId, limit));
  }

  private *purgeFrom(table: Sql, key: Sql, batchId: string, limit: number): Script<number> {
    const rows = yield* select<{ place: string }>(
      sql`SELECT ${key} AS place FROM ${table} WHERE batch_id = ${batchId} ORDER BY ${key} LIMIT ${limit}`,
    );
    const last = rows.at(-1);
    if (!last) return 0;
    return yield* change(sql`DELETE FROM ${table} WHERE batch_id = ${batchId} AND ${key} <= ${last.place}`);
  }

  private *some(where: Sql): Script<Member[]> {
    const rows = yield* select(sql`SELECT batch_id, task_id, outcome, leads, todo FROM ${this.table} WHERE ${where}`);
    return rows.map(toMember);
  }

  /** By the primary key, one range for each batch. */
  private are(ids: MemberId[]): Sql {
    const byBatch = new Map<string, string[]>();
    for (const { batchId, taskId } of ids) {
      const known = byBatch.get(batchId);
      if (known) known.push(taskId);
      else byBatch.set(batchId, [taskId]);
    }
    const each = [...byBatch].map(([batchId, taskIds]) => sql`batch_id = ${batchId} AND task_id IN (${list(taskIds)})`);
    return sql`(${join(each, ' OR ')})`;
  }
}

function* pieces<I>(items: readonly I[]): Generator<I[]> {
  for (let from = 0; from < items.length; from += ROWS) yield items.slice(from, from + ROWS);
}

const orNull = (value: unknown): number | null => (value === null ? null : Number(value));

const toMember = (row: Row): Member => ({
  batchId: row.batch_id as string,
  taskId: row.task_id as string,
  outcome: orNull(row.outcome) as Outcome | null,
  leads: Number(row.leads) === 1,
  todo: orNull(row.todo) as Step | null,
});
