import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { dataOf, expectFailure } from '../../support/answers.js';
import { BATTERY, type Host, startHost } from '../../support/host.js';

const STRANGE = [
  ' ',
  '0',
  '-1',
  'null',
  'undefined',
  '[object Object]',
  '__proto__',
  '{taskId}',
  ':taskId',
  '%',
  '_',
  '*',
  'a/b',
  '../../etc/passwd',
  '?page=1',
  '#',
  '\0',
  '\n',
  '😀',
  'é',
  "' OR 1=1 --",
  '"; DROP TABLE tasks; --',
  '\\',
  '00000000-0000-0000-0000-000000000000',
  'x'.repeat(100),
];

describe.each(BATTERY)('ids that are not there on $engine with $adapter', (where) => {
  let host: Host;
  let taskId: string;
  beforeAll(async () => {
    host = await startHost(where);
    taskId = (await host.tasks.create({ userId: 'alice', input: 'in', status: 10 })).taskId;
  });
  afterAll(() => host?.close());

  async function expectNowhere(id: string) {
    const path = encodeURIComponent(id);
    const json = { input: 'x', output: 'x' };
    expectFailure(await host.user('alice', 'GET', `/api/tasks/${path}`), 'NOT_FOUND');
    for (const method of ['PUT', 'POST']) {
      expectFailure(await host.user('alice', method, `/api/tasks/${path}`, { json }), 'NOT_FOUND');
      expectFailure(await host.worker(method, `/api/crontask/${path}`, { json }), 'NOT_FOUND');
    }
    expect(dataOf(await host.worker('GET', '/api/crontask', { query: { taskId: id } }))).toEqual([]);
  }

  it.each(STRANGE)('answers 404 to %j', expectNowhere);

  it('answers 404 to an id that is nearly one', async () => {
    for (const id of [
      taskId.toUpperCase(),
      ` ${taskId}`,
      `${taskId} `,
      `${taskId}\0`,
      taskId.slice(0, -1),
      `{${taskId}}`,
    ])
      await expectNowhere(id);
    expect(await host.tasks.get(taskId)).toMatchObject({ status: 10, input: 'in', attempts: 0 });
  });

  // Fastify answers for parameters over its own maxParamLength itself.
  if (where.adapter === 'express')
    it('answers 404 to an id of any length', async () => {
      for (const id of ['x'.repeat(200), '😀'.repeat(200), 'x'.repeat(8000)]) await expectNowhere(id);
    });

  it('finds no task by several ids or by an id that is no text', async () => {
    const query: [string, string][] = [
      ['taskId', taskId],
      ['taskId', taskId],
    ];
    expect(dataOf(await host.worker('GET', '/api/crontask', { query }))).toEqual([]);
    expect(dataOf(await host.worker('GET', '/api/crontask', { query: { 'taskId[]': taskId } }))).toEqual([]);
    expect(await host.tasks.get(taskId)).toMatchObject({ status: 10 });
  });
});
