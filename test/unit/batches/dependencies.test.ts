import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type BatchTask, TASK_STATUS } from '../../../src/index.js';
import { failure } from '../../support/failure.js';
import { type Host, PLACES, startHost, WHOLE } from '../../support/host.js';
import { until } from '../../support/until.js';
import { workOff } from './fixtures/ends.js';

const { BEGIN, WAITING, FINISHED, ERROR, CANCELLED } = TASK_STATUS;
const alice = { userId: 'alice' };
/** Tasks of the large shapes. */
const MANY = WHOLE ? 9999 : 999;
const task = (ref: string, ...dependsOn: string[]): BatchTask => ({ ref, input: ref, dependsOn });

describe.each(PLACES)('tasks of a batch that wait for each other, on $engine', (where) => {
  let host: Host;
  beforeAll(async () => {
    host = await startHost(where);
  });
  afterAll(() => host?.close());

  const statusOf = async (taskIds: string[]) =>
    Promise.all(taskIds.map(async (taskId) => (await host.tasks.get(taskId)).status));
  const ended = async (batchId: string) =>
    until('the end', async () => {
      const batch = await host.tasks.batches.get(batchId);
      return batch.endedAt ? batch : undefined;
    });

  it('run after all that they wait for have finished', async () => {
    const given = [task('join', 'a', 'b'), task('a', 'cut'), task('b', 'cut', 'cut'), task('cut')];
    const { batchId, taskIds, counts } = await host.tasks.batches.create({ tasks: given }, alice);
    expect(counts).toMatchObject({ waiting: 3, ready: 1 });
    expect(await statusOf(taskIds)).toEqual([WAITING, WAITING, WAITING, BEGIN]);
    const order = (await workOff(host, batchId)).map(({ input }) => input);
    expect([order[0], order.slice(1, 3).sort(), order[3]]).toEqual(['cut', ['a', 'b'], 'join']);
  });

  it('fail with what they wait for, in turn; those with runOn=ended run', async () => {
    const given = [
      task('a'),
      task('b', 'a'),
      task('c', 'b'),
      { ...task('clean', 'a', 'c'), runOn: 'ended' as const },
      task('other'),
    ];
    const { batchId, taskIds } = await host.tasks.batches.create({ tasks: given }, alice);
    await workOff(host, batchId, ({ input }) => (input === 'a' ? ERROR : FINISHED));
    expect(await statusOf(taskIds)).toEqual([ERROR, ERROR, ERROR, FINISHED, FINISHED]);
    const { error, attempts } = await host.tasks.get(taskIds[2]!);
    expect([error, attempts]).toEqual([expect.stringMatching(/^DEPENDENCY_FAILED/), 0]);
    expect(await host.tasks.batches.get(batchId)).toMatchObject({
      state: 'failed',
      counts: { finished: 2, failed: 3 },
    });
  });

  it('fail when what they wait for is cancelled or deleted', async () => {
    const given = [task('a'), task('b', 'a'), task('c'), task('d', 'c')];
    const { batchId, taskIds } = await host.tasks.batches.create({ tasks: given }, alice);
    await host.tasks.cancel(taskIds[0]!);
    await host.tasks.remove([taskIds[2]!], alice);
    expect(await ended(batchId)).toMatchObject({ state: 'failed', counts: { failed: 2, cancelled: 2 } });
    expect(await statusOf([taskIds[0]!, taskIds[1]!, taskIds[3]!])).toEqual([CANCELLED, ERROR, ERROR]);
  });

  it('wait also while a task is retried, and are ready if their owner says so', async () => {
    const given = [task('a'), task('b', 'a'), task('c', 'a')];
    const { batchId, taskIds } = await host.tasks.batches.create({ tasks: given }, alice);
    const [claimed] = await host.tasks.claim({ taskId: taskIds[0]! });
    await host.tasks.report(taskIds[0]!, { leaseToken: claimed!.leaseToken!, status: ERROR, retry: true, delay: 0 });
    await host.tasks.markReady(taskIds[1]!);
    expect(await statusOf(taskIds)).toEqual([BEGIN, BEGIN, WAITING]);
    await workOff(host, batchId);
    expect(await statusOf(taskIds)).toEqual([FINISHED, FINISHED, FINISHED]);
  });

  it.each([
    ['from one to many', [task('first'), ...Array.from({ length: MANY }, (_, index) => task(`${index}`, 'first'))]],
    [
      'from many to one',
      [
        ...Array.from({ length: MANY }, (_, index) => task(`${index}`)),
        task('last', ...Array.from({ length: MANY }, (_, index) => `${index}`)),
      ],
    ],
    [
      'in 20 layers',
      Array.from({ length: 20 * 20 }, (_, index) => {
        const layer = Math.floor(index / 20);
        const before = Array.from({ length: layer === 0 ? 0 : 20 }, (__, place) => `${(layer - 1) * 20 + place}`);
        return task(`${index}`, ...before);
      }),
    ],
    [
      'in a chain',
      Array.from({ length: WHOLE ? 1000 : 100 }, (_, index) => task(`${index}`, ...(index ? [`${index - 1}`] : []))),
    ],
  ])(
    'end all, %s',
    async (_, given) => {
      const { batchId } = await host.tasks.batches.create({ tasks: given }, alice);
      const order = (await workOff(host, batchId)).map(({ input }) => input!);
      expect(order).toHaveLength(given.length);
      const place = new Map(order.map((input, index) => [input, index]));
      for (const { ref, dependsOn } of given)
        for (const need of dependsOn!) expect(place.get(need)!).toBeLessThan(place.get(ref!)!);
      const { counts, total } = await host.tasks.batches.get(batchId);
      expect([total, counts.finished, counts.waiting]).toEqual([given.length, given.length, 0]);
    },
    300_000,
  );

  it('are refused with the circle, the unknown name, and what does not go with it', async () => {
    const create = (tasks: unknown[]) => host.tasks.batches.create({ tasks: tasks as BatchTask[] }, alice);
    const told = async (tasks: unknown[]) => {
      const { detail } = (await create(tasks).catch((error: unknown) => error)) as { detail: { msg: string }[] };
      return detail[0]!.msg;
    };
    const circle = [task('x'), task('a', 'x', 'c'), task('b', 'a'), task('c', 'b')];
    expect(await failure(create(circle))).toEqual(['INVALID_PARAM', 'tasks[1].dependsOn']);
    expect(await told(circle)).toMatch(/circle: a -> c -> b -> a/);
    expect(await told([task('a', 'a')])).toMatch(/circle: a -> a/);
    expect(await failure(create([task('a'), task('b', 'q')]))).toEqual(['INVALID_PARAM', 'tasks[1].dependsOn']);
    expect(await told([task('b', 'q')])).toMatch(/"q", which is the `ref` of no task/);
    expect(await failure(create([task('a'), task('a')]))).toEqual(['INVALID_PARAM', 'tasks[1].ref']);
    expect(await failure(create([{ ...task('a'), runOn: 'never' }]))).toEqual(['INVALID_PARAM', 'tasks[0].runOn']);
    expect(await failure(create([task('a'), { ...task('b', 'a'), runAt: new Date() }]))).toEqual([
      'INVALID_PARAM',
      'tasks[1].runAt',
    ]);
    expect(await failure(create([task('a'), { ...task('b', 'a'), status: 0 }]))).toEqual([
      'INVALID_PARAM',
      'tasks[1].status',
    ]);
    expect(await failure(create([{ input: 'x' }, { input: 7 }]))).toEqual(['INVALID_PARAM', 'tasks[1].input']);
    expect(await failure(create([{ ...task('a'), unique: { key: 'k' } }]))).toEqual([
      'INVALID_PARAM',
      'tasks[0].unique',
    ]);
    expect(await failure(create(['x']))).toEqual(['INVALID_PARAM', 'tasks[0]']);
    expect(await failure(create(Array.from({ length: 10_001 }, () => ({ input: 'x' }))))).toEqual([
      'INVALID_PARAM',
      'tasks',
    ]);
    const bad = { tasks: [], then: { input: 'x', status: 10 } } as never;
    expect(await failure(host.tasks.batches.create(bad, alice))).toEqual(['INVALID_PARAM', 'then.status']);
    expect(await failure(host.tasks.batches.create({ tasks: [], then: {} as never }, alice))).toEqual([
      'INVALID_PARAM',
      'then.input',
    ]);
  });
});
