import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { dataOf, expectFailure, type Problem } from '../../support/answers.js';
import type { CallOptions } from '../../support/http.js';
import { BATTERY, type Host, MATRIX, spread, startHost } from '../../support/host.js';

const LONG_NAME = 'n'.repeat(65);
/** 65,536 bytes of UTF-8, of 21,846 characters. */
const LONG_TEXT = `${'€'.repeat(21_845)}x`;
const IDS_1001 = Array.from({ length: 1001 }, (_, i) => `${i}`);

/** What a user may send as a text, in JSON. */
const BAD_TEXTS: [value: unknown, rule: string][] = [
  ['nul \0', 'noNul'],
  ['lone \ud83d', 'wellFormed'],
  ['\ude00 lone', 'wellFormed'],
  [true, 'string'],
  [['a'], 'string'],
  [{ a: 1 }, 'string'],
];
const NO_INTEGERS: unknown[] = ['ten', '1.5', 1.5, '1e1', '0x0a', ' 10', true, [10], {}, ''];

describe.each(spread(import.meta, MATRIX))('bad input on $engine with $adapter', (where) => {
  let host: Host;
  /** A draft, and a task that a worker holds. */
  let draft: string;
  let held: string;

  beforeAll(async () => {
    host = await startHost(where);
    draft = (await host.tasks.create({ userId: 'alice', input: 'in' })).taskId;
    held = (await host.tasks.create({ userId: 'alice', input: 'in', status: 10 })).taskId;
    await host.tasks.claim({ taskId: held, legacy: true });
  });
  afterAll(async () => {
    // Whatever was refused left no trace.
    const { list: tasks } = await host.tasks.list({ userId: 'alice', pageNum: 1000 });
    const untouched = { input: 'in', args: null, temp: null, output: null, progress: 0 };
    const found = tasks.map(({ taskId, status, ...task }) => ({ taskId, status, ...task }));
    await host.close();
    expect(found).toEqual([
      expect.objectContaining({ ...untouched, taskId: held, status: 20 }),
      expect.objectContaining({ ...untouched, taskId: draft, status: 0 }),
    ]);
  });

  const refused = async (answer: Promise<Parameters<typeof expectFailure>[0]>, field: string, rule: string) =>
    expectFailure(await answer, rule === 'maxBytes' ? 'TOO_LARGE' : 'INVALID_PARAM', [field, rule]);
  const create = (json: object) => host.user('alice', 'POST', '/api/tasks', { json });
  const update = (json: object) => host.user('alice', 'PUT', `/api/tasks/${draft}`, { json });
  const report = (json: object) => host.worker('PUT', `/api/crontask/${held}`, { json });
  const list = (query: CallOptions['query']) => host.user('alice', 'GET', '/api/tasks', { query });
  const claim = (query: CallOptions['query']) => host.worker('GET', '/api/crontask', { query });

  it('refuses a task without an input', () => refused(create({ args: 'x', status: 10 }), 'input', 'isDefined'));

  it.each([...BAD_TEXTS, [LONG_TEXT, 'maxBytes'] as const])('refuses a text that is %j: %s', async (value, rule) => {
    await refused(create({ input: value }), 'input', rule);
    await refused(create({ input: 'in', args: value }), 'args', rule);
    await refused(update({ input: value }), 'input', rule);
    await refused(update({ args: value }), 'args', rule);
    await refused(report({ temp: value }), 'temp', rule);
    await refused(report({ output: value }), 'output', rule);
  });

  it.each([...BAD_TEXTS, [LONG_NAME, 'maxLength'] as const, ['', 'notEmpty'] as const])(
    'refuses a service that is %j: %s',
    (value, rule) => refused(create({ input: 'in', service: value }), 'service', rule),
  );

  it('refuses names that are too long or hold NUL in a filter', async () => {
    for (const [value, rule] of [
      [LONG_NAME, 'maxLength'],
      ['😀'.repeat(65), 'maxLength'],
      ['nul\0', 'noNul'],
    ] as const) {
      await refused(list({ service: value }), 'service', rule);
      await refused(claim({ service: value }), 'service', rule);
      await refused(claim({ group: value }), 'group', rule);
    }
    const twice: [string, string][] = [
      ['service', 'a'],
      ['service', 'b'],
    ];
    await refused(list(twice), 'service', 'string');
    await refused(claim(twice), 'service', 'string');
  });

  it('refuses NUL in every body type', async () => {
    for (const kind of ['form', 'multipart', 'query'] as const)
      await refused(host.user('alice', 'POST', '/api/tasks', { [kind]: { input: 'nul \0' } }), 'input', 'noNul');
  });

  it.each(NO_INTEGERS)('refuses %j as an integer', async (value) => {
    await refused(create({ input: 'in', status: value }), 'status', 'isInt');
    await refused(update({ status: value }), 'status', 'isInt');
    await refused(report({ status: value }), 'status', 'isInt');
    await refused(report({ progress: value }), 'progress', 'isInt');
    if (typeof value !== 'string' || value === '') return;
    await refused(list({ page: value }), 'page', 'isInt');
    await refused(list({ pageNum: value }), 'pageNum', 'isInt');
  });

  it.each([20, 30, -10, 5, -20, 99, 1, -1, 2 ** 40])('refuses status %d from a user', async (status) => {
    await refused(create({ input: 'in', status }), 'status', 'isIn');
    // A user may call a task off, but can't create one that is.
    if (status !== -20) await refused(update({ status }), 'status', 'isIn');
  });

  it.each([99, 1, -1, 0, 5, -20, 2 ** 40])('refuses status %d from a worker', (status) =>
    refused(report({ status, output: 'x' }), 'status', 'isIn'),
  );

  it.each([-1, '-1', -(2 ** 40)])('refuses progress %j', (progress) =>
    refused(report({ progress }), 'progress', 'min'),
  );

  it.each<[Record<string, string | number>, string, string]>([
    [{ page: 0 }, 'page', 'min'],
    [{ page: -1 }, 'page', 'min'],
    [{ page: 2 ** 31 }, 'page', 'max'],
    [{ page: '9'.repeat(30) }, 'page', 'isInt'],
    [{ pageNum: 0 }, 'pageNum', 'min'],
    [{ pageNum: -10 }, 'pageNum', 'min'],
    [{ pageNum: 10_001 }, 'pageNum', 'max'],
  ])('refuses the page %j', (query, field, rule) => refused(list(query), field, rule));

  it.each<[string, string]>([
    ['not json', 'isArray'],
    ['[', 'isArray'],
    ['{"0":"a"}', 'isArray'],
    ['"a"', 'isArray'],
    ['7', 'isArray'],
    ['null', 'isArray'],
    ['[1,2]', 'isString'],
    ['[["a"]]', 'isString'],
    [JSON.stringify(IDS_1001), 'arrayMaxSize'],
  ])('refuses ids that are %j', async (ids, rule) => {
    await refused(list({ ids }), 'ids', rule);
    for (const kind of ['json', 'form', 'multipart', 'query'] as const)
      await refused(host.user('alice', 'DELETE', '/api/tasks', { [kind]: { ids } }), 'ids', rule);
  });

  it('takes 1000 ids, and refuses one more as a JSON list', async () => {
    const remove = (ids: unknown) => host.user('alice', 'DELETE', '/api/tasks', { json: { ids } });
    await refused(remove(IDS_1001), 'ids', 'arrayMaxSize');
    await refused(remove({ 0: draft }), 'ids', 'isArray');
    expect(dataOf(await remove(IDS_1001.slice(1))).notDeleted).toHaveLength(1000);
  });

  it('names every field that is wrong, each with its rule', async () => {
    const problems: Problem[] = [
      ['input', 'isDefined'],
      ['args', 'noNul'],
      ['service', 'maxLength'],
      ['status', 'isInt'],
    ];
    const answer = await create({ args: '\0', service: LONG_NAME, status: 'x' });
    expect(answer.body.data.detail).toHaveLength(4);
    expectFailure({ ...answer, body: sorted(answer.body) }, 'INVALID_PARAM', ...problems.sort());
  });

  it('tells what a field may hold, by its name', async () => {
    const { detail } = (await create({ args: '\0', service: LONG_NAME, status: 99 })).body.data;
    for (const { field, msg } of detail) expect(msg).toContain(field);
    const [problem] = (await list({ pageNum: 10_001 })).body.data.detail;
    expect(problem.msg).toMatch(/pageNum .*10000/);
  });
});

describe.each(BATTERY)('the largest input that is taken on $engine with $adapter', (where) => {
  let host: Host;
  beforeAll(async () => {
    host = await startHost(where);
  });
  afterAll(() => host?.close());

  it('keeps 65,535 bytes of UTF-8 in each text and 64 characters in each name', async () => {
    const [text, name] = ['€'.repeat(21_845), '😀'.repeat(64)];
    const created = dataOf(
      await host.user('alice', 'POST', '/api/tasks', { json: { input: text, args: text, service: name, status: 10 } }),
    );
    expect(created).toMatchObject({ input: text, args: text, service: name });
    const { task } = dataOf(await host.worker('GET', '/api/crontask', { query: { service: name } }));
    expect(task.taskId).toBe(created.taskId);
    const json = { temp: text, output: text, progress: 2 ** 40 };
    const reported = dataOf(await host.worker('PUT', `/api/crontask/${task.taskId}`, { json }));
    expect(reported.task).toMatchObject({ temp: text, output: text, progress: 100 });
  });
});

function sorted(body: any): unknown {
  const detail = [...body.data.detail].sort((a, b) => a.field.localeCompare(b.field));
  return { ...body, data: { ...body.data, detail } };
}
