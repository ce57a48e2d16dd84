import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { DataSource } from 'typeorm';
import { type Task, TASK_STATUS, TaskError } from '../../../src/index.js';
import type { TaskQueue } from '../../../src/task.bootstrap.js';
import { connect, openQueue } from '../schema/fixtures/queue.js';
import { createDatabase, ENGINES, type TestDatabase } from '../../support/databases.js';
import { WHOLE } from '../../support/host.js';
import * as model from './fixtures/model.js';

/** Sequences an engine. */
const RUNS = Number(process.env.TEST_MODEL_RUNS ?? (WHOLE ? 60 : 20));

const task = fc.nat({ max: 3 });
const COMMANDS = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('create' as const),
      status: fc.constantFrom(undefined, 0, 10),
      later: fc.boolean(),
      max: fc.constantFrom(undefined, 1, 2),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('move' as const), task, to: fc.constantFrom(10, 10, -20, 0) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('edit' as const), task }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const), task }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('claim' as const), task, legacy: fc.boolean() }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('report' as const),
      task,
      token: fc.constantFrom<model.ModelReport['token']>('right', 'right', 'right', 'none', 'wrong'),
      status: fc.constantFrom(undefined, 20, 25, 30, -10, -10, 10),
      retry: fc.boolean(),
      delay: fc.constantFrom(undefined, 0, 60),
      temp: fc.constantFrom(undefined, 'a', 'b'),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('lapse' as const), task }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('due' as const), task }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('sql' as const), task, status: fc.constantFrom(10, 30) }) },
);
type Command = typeof COMMANDS extends fc.Arbitrary<infer C> ? C : never;

/** Taken and given up at once: chance alone rarely does that three times in a row. */
const CYCLES = fc
  .record({ task, status: fc.constantFrom(10, 10, -10), delay: fc.constantFrom(undefined, undefined, 0) })
  .map(({ task, status, delay }): Command[] => [
    { do: 'claim', task, legacy: false },
    { do: 'report', task, token: 'right', status, retry: true, delay, temp: undefined },
  ]);
const SEQUENCES = fc
  .array(fc.oneof({ weight: 5, arbitrary: COMMANDS.map((command) => [command]) }, { weight: 2, arbitrary: CYCLES }), {
    minLength: 5,
    maxLength: 30,
    size: 'max',
  })
  .map((parts) => parts.flat());

/** A sequence on real tasks, with the model beside it. */
class Run {
  private readonly tasks: { id: string; model: model.ModelTask }[] = [];
  /** Of this sequence alone: others share the table. */
  private readonly userId = randomUUID();

  constructor(
    private readonly queue: TaskQueue,
    private readonly dataSource: DataSource,
  ) {}

  async step(command: Command): Promise<void> {
    if (command.do === 'create') await this.create(command);
    else {
      const chosen = this.tasks[command.task % this.tasks.length];
      if (chosen) await this.change(command, chosen);
    }
    for (const each of this.tasks)
      expect(shown(await this.queue.service.get(each.id), each.model)).toEqual(expected(each.model));
    await this.checkReady();
  }

  private async create({ status, later, max }: Extract<Command, { do: 'create' }>): Promise<void> {
    if (this.tasks.length >= 4) return;
    const runAt = later && status !== 0 ? new Date(Date.now() + 3_600_000) : undefined;
    const { taskId } = await this.queue.service.create({
      userId: this.userId,
      input: 'in',
      status,
      runAt,
      maxAttempts: max,
    });
    this.tasks.push({ id: taskId, model: model.newTask(runAt ? 5 : (status ?? 0), max) });
  }

  private async change(
    command: Exclude<Command, { do: 'create' }>,
    chosen: { id: string; model: model.ModelTask },
  ): Promise<void> {
    const { service } = this.queue;
    const { id, model: state } = chosen;
    switch (command.do) {
      case 'move':
        return this.same(model.userMoves(state, command.to), () => service.update(id, { status: command.to }));
      case 'edit':
        return this.same(model.userEdits(state), () => service.update(id, { input: 'in' }));
      case 'delete': {
        const { deleted } = await service.remove([id], { userId: this.userId });
        expect(deleted.length > 0 ? 'ok' : 'kept').toBe(model.userDeletes(state));
        if (deleted.length > 0) this.tasks.splice(this.tasks.indexOf(chosen), 1);
        return;
      }
      case 'claim': {
        const [claimed] = await service.claim({ taskId: id, legacy: command.legacy });
        expect(claimed ? 'ok' : 'none').toBe(model.workerClaims(state, command.legacy));
        if (claimed) state.token = claimed.leaseToken!;
        return;
      }
      case 'report': {
        const { status, temp } = command;
        // What goes together only in other ways is refused before it comes to the task.
        const retry = command.retry && status === -10;
        const delay = retry || status === 10 ? command.delay : undefined;
        const leaseToken = { right: state.token ?? randomUUID(), wrong: randomUUID(), none: undefined }[command.token];
        const wanted = model.workerReports(state, { token: command.token, status, retry, delay, temp });
        return this.same(wanted, () => service.report(id, { leaseToken, status, retry, delay, temp }));
      }
      case 'lapse':
        model.lapses(state);
        await this.dataSource.query(
          `UPDATE tasks SET lease_expires_at = '2026-01-01 00:00:00.000' WHERE id = '${id}' AND lease_expires_at IS NOT NULL`,
        );
        return this.queue.sweep();
      case 'due':
        model.comesDue(state);
        await this.dataSource.query(
          `UPDATE tasks SET run_at = '2026-01-01 00:00:00.000' WHERE id = '${id}' AND status = 5`,
        );
        return this.queue.sweep();
      case 'sql':
        state.status = command.status;
        await this.dataSource.query(`UPDATE tasks SET status = ${command.status} WHERE id = '${id}'`);
    }
  }

  private async same(wanted: model.Outcome, work: () => Promise<unknown>): Promise<void> {
    const outcome = await work().then(
      () => 'ok',
      (error: unknown) => {
        if (error instanceof TaskError) return error.errorName;
        throw error;
      },
    );
    expect(outcome).toBe(wanted);
  }

  /** BEGIN means claimable, and nothing else is: on MySQL another table says so. */
  private async checkReady(): Promise<void> {
    if (this.dataSource.options.type !== 'mysql') return;
    const rows = await this.dataSource.query<{ id: string }[]>('SELECT task_id AS id FROM tasks_ready');
    const ready = new Set(rows.map((row) => row.id));
    for (const each of this.tasks) expect([each.id, ready.has(each.id)]).toEqual([each.id, each.model.status === 10]);
  }
}

/** What of a row the model knows. */
const shown = (row: Task, state: model.ModelTask) => ({
  status: row.status,
  attempts: row.attempts,
  releases: row.releases,
  token: row.leaseToken === (state.token ?? null),
  leased: row.leaseExpiresAt !== null,
  temp: row.temp,
  hasError: row.error !== null,
  ended: row.finishedAt !== null,
});
const expected = ({ status, attempts, releases, current, leased, temp, hasError, ended }: model.ModelTask) => ({
  status,
  attempts,
  releases,
  token: current,
  leased,
  temp,
  hasError,
  ended,
});

describe.each(ENGINES)('random lives of tasks on %s', (engine) => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let queue: TaskQueue;
  beforeAll(async () => {
    database = await createDatabase(engine);
    dataSource = await connect(database);
    queue = await openQueue(dataSource, { status: { ...TASK_STATUS, UPLOADING: 25 } });
  });
  afterAll(async () => {
    await queue?.close();
    await dataSource?.destroy();
    await database?.drop();
  });

  it('go as the model says, whoever moves them', async () => {
    await fc.assert(
      fc.asyncProperty(SEQUENCES, async (commands) => {
        const run = new Run(queue, dataSource);
        // Something to begin with: most commands need a task.
        for (const max of [undefined, 2] as const) await run.step({ do: 'create', status: 10, later: false, max });
        for (const command of commands) await run.step(command);
      }),
      { numRuns: RUNS, endOnFailure: false },
    );
  });
});
