import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { call } from '../../support/http.js';
import { failure } from '../../support/failure.js';
import { type Host, PLACES, startHost } from '../../support/host.js';
import { until } from '../../support/until.js';

const TOKEN = 'an-operator-token-0123456789';
const services = {
  gpu: { maxRunning: 2, note: 'two cards' },
  api: { rate: { max: 10, per: 60 } },
  off: { paused: true },
  over: { paused: true, pausedUntil: '2020-01-01T00:00:00Z' },
  plain: { lease: 60 },
  shared: { maxRunningPerOwner: () => 2, fair: 'group' as const, weight: () => 1 },
};

describe.each(PLACES)('settings of services on $engine', (where) => {
  let host: Host;
  beforeAll(async () => {
    host = await startHost({ ...where, options: { services, operatorTokens: [TOKEN] } });
  });
  afterAll(async () => {
    await host?.close();
  });

  const put = async (service: string, json: object): Promise<any> => {
    const headers = { authorization: `Bearer ${TOKEN}` };
    const { status, body } = await call('PUT', `${host.url}/api/operator/services/${service}`, { headers, json });
    return { http: status, ...(body as object) };
  };
  const stateOf = async (name: string): Promise<any> =>
    (await host.tasks.operator.services()).find(({ service }) => service === name);

  it('come from the options first', async () => {
    expect(await stateOf('gpu')).toEqual({
      service: 'gpu',
      paused: false,
      pausedUntil: null,
      note: 'two cards',
      maxRunning: 2,
      rate: null,
      maxRunningPerOwner: null,
      fair: false,
      running: 0,
      wait: null,
      sources: { paused: null, maxRunning: 'option', rate: null, maxRunningPerOwner: null, fair: null },
      changedBy: null,
      changedAt: null,
    });
    expect(await stateOf('api')).toMatchObject({ rate: { max: 10, per: 60, burst: 10 }, running: null });
    expect(await stateOf('off')).toMatchObject({ paused: true, sources: { paused: 'option' } });
    expect(await stateOf('over')).toBeUndefined();
    expect(await stateOf('plain')).toBeUndefined();
  });

  it('of operators win, and null gives each back to the options', async () => {
    expect(await put('gpu', { maxRunning: 5, note: 'more' })).toMatchObject({
      data: { maxRunning: 5, note: 'more', sources: { maxRunning: 'operator', rate: null } },
    });
    expect(await put('gpu', { rate: { max: 1, per: 2, burst: 3 } })).toMatchObject({
      data: { maxRunning: 5, rate: { max: 1, per: 2, burst: 3 }, sources: { rate: 'operator' } },
    });
    expect(await put('gpu', { maxRunning: null, rate: null, note: null })).toMatchObject({
      data: { maxRunning: 2, rate: null, note: 'two cards', sources: { maxRunning: 'option', rate: null } },
    });
    expect((await stateOf('gpu')).changedAt).toBeInstanceOf(Date);
  });

  it('of turns win, too, also over what only code can say', async () => {
    expect(await stateOf('shared')).toMatchObject({ maxRunningPerOwner: null, fair: 'group', running: 0 });
    expect((await stateOf('shared')).sources).toMatchObject({ maxRunningPerOwner: 'option', fair: 'option' });
    for (const fair of [true, false, 'group'])
      expect(await put('shared', { fair, maxRunningPerOwner: 3 })).toMatchObject({
        data: { fair, maxRunningPerOwner: 3, sources: { maxRunningPerOwner: 'operator', fair: 'operator' } },
      });
    expect(await put('shared', { fair: null, maxRunningPerOwner: null })).toMatchObject({
      data: { fair: 'group', maxRunningPerOwner: null, sources: { maxRunningPerOwner: 'option', fair: 'option' } },
    });
  });

  it('that are sent as a form are the same', async () => {
    const headers = { authorization: `Bearer ${TOKEN}` };
    const form = { maxRunning: '7', rate: '{"max":3,"per":1}' };
    const path = `${host.url}/api/operator/services/form`;
    expect((await call('PUT', path, { headers, form })).body).toMatchObject({
      data: { maxRunning: 7, rate: { max: 3, per: 1, burst: 3 } },
    });
    const removed = await call('PUT', path, { headers, json: { maxRunning: '', rate: '' } });
    expect(removed.body).toMatchObject({ data: { maxRunning: null, rate: null } });
    for (const [fair, read] of [
      ['true', true],
      ['false', false],
      ['group', 'group'],
    ] as const)
      expect((await call('PUT', path, { headers, form: { fair } })).body).toMatchObject({ data: { fair: read } });
  });

  it('pause what the options pause until an operator resumes it, and again when null gives it back', async () => {
    const { taskId } = await host.tasks.create({ userId: 'u', input: 'x', service: 'off', status: 10 });
    expect(await host.tasks.claim({ service: 'off' })).toEqual([]);
    await host.tasks.operator.setService('off', { paused: false });
    expect(await host.tasks.claim({ taskId })).toHaveLength(1);
    expect(await put('off', { paused: null })).toMatchObject({ data: { paused: true, sources: { paused: 'option' } } });
    // The pause of an operator that ends gives it back, too.
    await host.tasks.operator.setService('off', { paused: true, pausedUntil: new Date(Date.now() + 5000) });
    await until('the pause ends', async () => (await stateOf('off')).sources.paused === 'option');
  });

  it.each([
    ['maxRunning', { maxRunning: 0 }],
    ['maxRunning', { maxRunning: 1.5 }],
    ['rate', { rate: { max: 0, per: 1 } }],
    ['rate', { rate: { max: 1 } }],
    ['rate', { rate: { max: 1, per: 1, size: 2 } }],
    ['rate', { rate: { max: 1, per: 1, toString: 2 } }],
    ['rate', { rate: 'fast' }],
    ['maxRunningPerOwner', { maxRunningPerOwner: 0 }],
    ['fair', { fair: 'owner' }],
    ['fair', { fair: 1 }],
    ['pausedUntil', { paused: null, pausedUntil: '2030-01-01T00:00:00Z' }],
  ])('refuse a wrong %s: %j', async (field, json) => {
    expect(await put('gpu', json)).toMatchObject({ http: 400, data: { detail: [{ field }] } });
    expect(await failure(host.tasks.operator.setService('gpu', json as never))).toEqual(['INVALID_PARAM', field]);
  });
});
