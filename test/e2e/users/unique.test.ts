import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TASK_STATUS } from '../../../src/index.js';
import { dataOf, expectFailure } from '../../support/answers.js';
import { BATTERY, type Host, startHost } from '../../support/host.js';

const { INIT, WAITING, BEGIN, START, FINISHED, ERROR, CANCELLED } = TASK_STATUS;
const LATER = '2040-01-01T00:00:00.000Z';

describe.each(BATTERY)('unique tasks on $engine with $adapter', (where) => {
  let host: Host;
  beforeAll(async () => {
    host = await startHost(where);
  });
  afterAll(() => host?.close());

  const post = async (json: unknown, user = 'alice', headers = {}) =>
    dataOf(await host.user(user, 'POST', '/api/tasks', { json, headers }));
  const put = (taskId: string, json: unknown) => host.user('alice', 'PUT', `/api/tasks/${taskId}`, { json });
  const unique = (key: string, rest = {}) => ({ input: 'x', status: BEGIN, unique: { key, ...rest } });
  const claim = async (taskId: string) => {
    const [task] = await host.tasks.claim({ taskId });
    return (report: { status: number; retry?: boolean; delay?: number }) =>
      host.tasks.report(taskId, { leaseToken: task!.leaseToken!, ...report });
  };

  it('are made once: the next create answers the same task, until it has ended', async () => {
    const key = randomUUID();
    const first = await post(unique(key));
    expect(first).toMatchObject({ uniqueKey: key });
    expect(first).not.toHaveProperty('duplicate');
    const again = await post({ ...unique(key), input: 'other' });
    expect(again).toEqual({ ...first, duplicate: true });
    const report = await claim(first.taskId);
    expect(await post(unique(key))).toMatchObject({ taskId: first.taskId, status: START, duplicate: true });
    await report({ status: FINISHED });
    const second = await post(unique(key));
    expect(second.taskId).not.toBe(first.taskId);
    expect(second).not.toHaveProperty('duplicate');
    expect(dataOf(await host.user('alice', 'GET', `/api/tasks/${first.taskId}`))).not.toHaveProperty('uniqueKey');
  });

  it('are of one owner and one service, byte for byte', async () => {
    const key = `${randomUUID()}-ä`;
    const ids = new Set<string>();
    for (const [user, task] of [
      ['alice', unique(key)],
      ['bob', unique(key)],
      ['alice', { ...unique(key), service: 'other' }],
      ['alice', unique(`${key} `)],
      ['alice', unique(key.toUpperCase())],
      ['alice', unique(key.normalize('NFD'))],
    ] as const)
      ids.add((await post(task, user)).taskId);
    expect(ids.size).toBe(6);
    // The default service by its name, or by none.
    expect(await post({ ...unique(key), service: 'default' })).toMatchObject({ duplicate: true });
  });

  it('until claimed: one runs, and one waits, whatever becomes of the first', async () => {
    const key = randomUUID();
    const claimed = { until: 'claimed' };
    const first = await post(unique(key, claimed));
    const report = await claim(first.taskId);
    const second = await post(unique(key, claimed));
    expect(second.taskId).not.toBe(first.taskId);
    expect(await post(unique(key, claimed))).toMatchObject({ taskId: second.taskId, duplicate: true });
    // Neither a give-back nor a retry takes the key again.
    await report({ status: BEGIN });
    await (
      await claim(first.taskId)
    )({ status: ERROR, retry: true, delay: 0 });
    expect(await post(unique(key, claimed))).toMatchObject({ taskId: second.taskId, duplicate: true });
    await (
      await claim(first.taskId)
    )({ status: FINISHED });
    await (
      await claim(second.taskId)
    )({ status: FINISHED });
    expect(await post(unique(key, claimed))).not.toHaveProperty('duplicate');
  });

  it('replaced: the waiting task gets the new content and time, and keeps its id', async () => {
    const key = randomUUID();
    const debounced = { until: 'claimed', onConflict: 'replace' };
    const first = await post({ input: 'a', args: 'a', priority: 3, runAt: LATER, unique: { key, ...debounced } });
    expect(first.status).toBe(WAITING);
    const soon = new Date(Date.now() + 3_600_000).toISOString();
    const second = await post({ input: 'b', runAt: soon, unique: { key, ...debounced } });
    expect(second).toMatchObject({ taskId: first.taskId, input: 'b', args: '', priority: 0, runAt: soon });
    expect(second).toMatchObject({ duplicate: true, replaced: true, status: WAITING, createdAt: first.createdAt });
    const now = await post({ input: 'c', status: BEGIN, unique: { key, ...debounced } });
    expect(now).toMatchObject({ taskId: first.taskId, input: 'c', status: BEGIN, runAt: null, replaced: true });
    const [task] = await host.tasks.claim({ service: 'default', taskId: first.taskId });
    expect(task).toMatchObject({ input: 'c', uniqueKey: null });
    const next = await post({ input: 'd', unique: { key, ...debounced } });
    expect([next.taskId === first.taskId, next.status, 'duplicate' in next]).toEqual([false, INIT, false]);
  });

  it('replace no content that a worker has had, and say so', async () => {
    const key = randomUUID();
    const task = unique(key, { onConflict: 'replace' });
    const first = await post(task);
    const report = await claim(first.taskId);
    const running = await post({ ...task, input: 'new' });
    expect(running).toMatchObject({ taskId: first.taskId, input: 'x', duplicate: true });
    expect(running).not.toHaveProperty('replaced');
    await report({ status: ERROR, retry: true, delay: 60 });
    expect(await post({ ...task, input: 'new' })).toMatchObject({ input: 'x', duplicate: true, status: WAITING });
  });

  it('in a list: each answer says what it is, and the second of a key is a duplicate of the first', async () => {
    const [old, fresh] = [randomUUID(), randomUUID()];
    const held = await post(unique(old));
    const { list } = await post([unique(fresh), { input: 'plain' }, unique(old), unique(fresh)]);
    expect(list.map(({ duplicate }: { duplicate?: true }) => duplicate)).toEqual([undefined, undefined, true, true]);
    expect([list[2].taskId, list[3].taskId]).toEqual([held.taskId, list[0].taskId]);
    const replacing = { ...unique(fresh, { onConflict: 'replace' }), input: 'newest' };
    expect((await post([unique(randomUUID()), replacing])).list[1]).toMatchObject({
      taskId: list[0].taskId,
      input: 'newest',
      replaced: true,
    });
  });

  it('with an Idempotency-Key: the same request has the same answer', async () => {
    const [key, sent] = [randomUUID(), randomUUID()];
    const first = await post(unique(key));
    const headers = { 'Idempotency-Key': sent };
    const answer = await post([unique(key), { input: 'y' }], 'alice', headers);
    expect(answer.list[0]).toMatchObject({ taskId: first.taskId, duplicate: true });
    await (
      await claim(first.taskId)
    )({ status: FINISHED });
    const again = await post([unique(key), { input: 'y' }], 'alice', headers);
    expect(again.list[0]).toMatchObject({ taskId: first.taskId, status: FINISHED, duplicate: true });
    expect(again.list[1]).toEqual(answer.list[1]);
  });

  it('run again only while no other task holds the key', async () => {
    const key = randomUUID();
    const first = await post(unique(key));
    await put(first.taskId, { status: CANCELLED });
    const second = await post(unique(key));
    const refused = await put(first.taskId, { status: BEGIN });
    expect([refused.status, refused.body.data.code]).toEqual([409, 14006]);
    expect(refused.body.data.detail).toMatchObject({ status: CANCELLED, taskId: second.taskId });
    expect(refused.body.data.detail.msg).toContain('run this one again once that one has ended');
    await put(second.taskId, { status: CANCELLED });
    expect(dataOf(await put(first.taskId, { status: BEGIN }))).toMatchObject({ uniqueKey: key });
    expect(await post(unique(key))).toMatchObject({ taskId: first.taskId, duplicate: true });
  });

  it('is free once the task is gone', async () => {
    const key = randomUUID();
    const first = await post(unique(key));
    await host.tasks.remove([first.taskId], { userId: 'alice' });
    expect(await post(unique(key))).not.toHaveProperty('duplicate');
  });

  it('take forms, and refuse what is no unique key', async () => {
    const key = randomUUID();
    const form = { input: 'x', unique: JSON.stringify({ key }) };
    const made = dataOf(await host.user('alice', 'POST', '/api/tasks', { form }));
    expect(await post(unique(key))).toMatchObject({ taskId: made.taskId, duplicate: true });
    for (const wrong of ['text', [], {}, { key: '' }, { key: 'x'.repeat(256) }, { key: 1 }, { key: 'a\0b' }])
      expectFailure(
        await host.user('alice', 'POST', '/api/tasks', { json: { input: 'x', unique: wrong } }),
        'INVALID_PARAM',
        ['unique', 'unique'],
      );
    for (const wrong of [
      { key, until: 'never' },
      { key, onConflict: 'fail' },
      { key, ttl: 3 },
    ])
      expectFailure(
        await host.user('alice', 'POST', '/api/tasks', { json: [{ input: 'x' }, { input: 'x', unique: wrong }] }),
        'INVALID_PARAM',
        ['[1].unique', 'unique'],
      );
  });
});
