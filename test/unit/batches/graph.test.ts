import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TASK_STATUS } from '../../../src/index.js';
import { failure } from '../../support/failure.js';
import { type Host, PLACES, startHost } from '../../support/host.js';

const { BEGIN, WAITING, ERROR } = TASK_STATUS;
const alice = { userId: 'alice' };
const NONE = { waiting: 0, ready: 0, running: 0, finished: 0, failed: 0, cancelled: 0 };

describe.each(PLACES)('the graph of a batch on $engine', (where) => {
  let host: Host;
  beforeAll(async () => {
    host = await startHost(where);
  });
  afterAll(() => host?.close());

  const create = (tasks: object[], seal = true) => host.tasks.batches.create({ tasks: tasks as never, seal }, alice);

  it('shows each task with its name, its layer and the tasks that it waits for', async () => {
    const { batchId, taskIds } = await create([
      { ref: 'end', input: 'x', dependsOn: ['left', 'right', 'cut'], service: 'join' },
      { ref: 'cut', input: 'x' },
      { ref: 'left', input: 'x', dependsOn: ['cut'] },
      { ref: 'right', input: 'x', dependsOn: ['left'] },
      { input: 'x' },
    ]);
    const [end, cut, left, right, alone] = taskIds;
    const { list, nextCursor } = await host.tasks.batches.graph.tasks(batchId, alice);
    expect(nextCursor).toBeNull();
    expect(list).toEqual([
      { taskId: end, ref: 'end', status: WAITING, service: 'join', layer: 3, dependsOn: [cut, left, right].sort() },
      { taskId: cut, ref: 'cut', status: BEGIN, service: 'default', layer: 0, dependsOn: [] },
      { taskId: left, ref: 'left', status: WAITING, service: 'default', layer: 1, dependsOn: [cut] },
      { taskId: right, ref: 'right', status: WAITING, service: 'default', layer: 2, dependsOn: [left] },
      { taskId: alone, ref: null, status: BEGIN, service: 'default', layer: 0, dependsOn: [] },
    ]);
    const of = async (filter: object) =>
      (await host.tasks.batches.graph.tasks(batchId, filter)).list.map(({ taskId }) => taskId);
    expect(await of({ layer: 0 })).toEqual([cut, alone]);
    expect(await of({ layer: 0, status: WAITING })).toEqual([]);
    expect(await of({ status: WAITING })).toEqual([end, left, right]);
  });

  it('counts the tasks of each layer, also those that have ended, or are gone', async () => {
    const { batchId, taskIds } = await create([
      { ref: 'a', input: 'x' },
      { ref: 'b', input: 'x' },
      { input: 'x', dependsOn: ['a', 'b'] },
    ]);
    const [claimed] = await host.tasks.claim({ taskId: taskIds[0]! });
    expect((await host.tasks.batches.graph.layers(batchId, alice)).list).toEqual([
      { layer: 0, total: 2, counts: { ...NONE, ready: 1, running: 1 } },
      { layer: 1, total: 1, counts: { ...NONE, waiting: 1 } },
    ]);
    await host.tasks.report(taskIds[0]!, { leaseToken: claimed!.leaseToken!, status: ERROR });
    await host.tasks.remove([taskIds[1]!], alice);
    const { list } = await host.tasks.batches.graph.layers(batchId, { ...alice, limit: 1 });
    expect(list).toEqual([{ layer: 0, total: 2, counts: { ...NONE, failed: 1, cancelled: 1 } }]);
    const { list: tasks } = await host.tasks.batches.graph.tasks(batchId, alice);
    expect(tasks.slice(0, 2)).toMatchObject([{ status: ERROR }, { status: null, service: null }]);
  });

  it('is read page by page, and by layers, of which a chain has many', async () => {
    const chain = Array.from({ length: 120 }, (_, n) => ({
      ref: `${n}`,
      input: 'x',
      ...(n > 0 ? { dependsOn: [`${n - 1}`] } : {}),
    }));
    const { batchId, taskIds } = await create(chain);
    const { graph } = host.tasks.batches;
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: Awaited<ReturnType<typeof graph.tasks>> = await graph.tasks(batchId, { ...alice, limit: 50, cursor });
      seen.push(...page.list.map(({ taskId }) => taskId));
      expect(page.list.length).toBeLessThanOrEqual(50);
      cursor = page.nextCursor;
    }
    expect(seen).toEqual(taskIds);
    const layers: number[] = [];
    for (let cursor: string | null = '0'; cursor !== null;) {
      const page: Awaited<ReturnType<typeof graph.layers>> = await graph.layers(batchId, { limit: 50, cursor });
      layers.push(...page.list.map(({ layer }) => layer));
      cursor = page.nextCursor;
    }
    expect(layers).toEqual(chain.map((_, n) => n));
  });

  it('has 50,000 dependencies in answers of a bounded size', async () => {
    // 400 tasks, of which half wait for 249 others: one answer does not hold the dependencies of two such calls.
    const first = Array.from({ length: 249 }, (_, n) => ({ ref: `${n}`, input: 'x' }));
    const second = Array.from({ length: 200 }, () => ({ input: 'x', dependsOn: first.map(({ ref }) => ref) }));
    const { batchId } = await create([...first, ...second], false);
    await host.tasks.batches.add(batchId, [...first, ...second] as never, alice);
    const { graph } = host.tasks.batches;
    const page = await graph.tasks(batchId, { limit: 1000 });
    const next = await graph.tasks(batchId, { limit: 1000, cursor: page.nextCursor! });
    expect(page.list.length + next.list.length).toBe(898);
    expect(next.nextCursor).toBeNull();
    const counts = [...page.list, ...next.list].map(({ dependsOn }) => dependsOn.length);
    const expected = [...first.map(() => 0), ...second.map(() => 249)];
    expect(counts).toEqual([...expected, ...expected]);
    expect(page.list.reduce((sum, { dependsOn }) => sum + dependsOn.length, 0)).toBeLessThanOrEqual(50_000);
    await host.tasks.batches.cancel(batchId);
  });

  it("is its owner's alone, and refuses what cannot be", async () => {
    const { batchId } = await create([{ input: 'x' }]);
    const { graph } = host.tasks.batches;
    expect(await failure(graph.tasks(batchId, { userId: 'bob' }))).toEqual(['NOT_FOUND']);
    expect(await failure(graph.layers(batchId, { userId: 'bob' }))).toEqual(['NOT_FOUND']);
    expect(await failure(graph.tasks('nothing', alice))).toEqual(['NOT_FOUND']);
    for (const wrong of [{ limit: 0 }, { cursor: 'x y' }, { layer: -1 }, { status: 1.5 }])
      expect(await failure(graph.tasks(batchId, wrong))).toEqual(['INVALID_PARAM', expect.anything()]);
    expect(await failure(graph.layers(batchId, { cursor: 'x' }))).toEqual(['INVALID_PARAM', expect.anything()]);
  });
});
