import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BatchController, OperatorController } from '../../../../src/index.js';
import { BATCH_ROUTES } from '../../../../src/http/binding/batch.routes.js';
import { OPERATOR_ROUTES } from '../../../../src/http/binding/operator.routes.js';
import { sourceOf } from '../../../../src/http/binding/route-definition.js';
import { ADAPTERS, type Host, startHost } from '../../../support/host.js';
import { call } from '../../../support/http.js';

/** Every handler overridden, none decorated again; each leaves its name in what it answers. */
class UndecoratedBatches extends BatchController {}
class UndecoratedOperators extends OperatorController {}
for (const [Undecorated, routes] of [
  [UndecoratedBatches, BATCH_ROUTES],
  [UndecoratedOperators, OPERATOR_ROUTES.filter(({ subPath }) => subPath?.startsWith('/batches'))],
] as const)
  for (const handler of new Set(routes.map(sourceOf))) {
    const proto = Undecorated.prototype as unknown as Record<string, (...args: unknown[]) => Promise<object>>;
    const ours = proto[handler]!;
    const value = async function (this: unknown, ...args: unknown[]): Promise<unknown> {
      return { ...(await ours.apply(this, args)), by: handler };
    };
    Object.defineProperty(proto, handler, { value, writable: true, configurable: true });
  }

describe.each(ADAPTERS)('handlers of batches overridden without decorators, with %s', (adapter) => {
  let host: Host;
  beforeAll(async () => {
    const options = {
      batchUri: '/api/batches',
      batchController: UndecoratedBatches,
      operatorController: UndecoratedOperators,
      operatorGuards: [],
    };
    host = await startHost({ engine: 'sqlite', adapter, options });
  });
  afterAll(() => host?.close());

  it('keep the routes of batches, of users and of operators', async () => {
    const user = async (method: string, path: string, json?: object) =>
      (await host.user('alice', method, `/api/batches${path}`, json ? { json } : {})).body.data;
    const { batchId, by } = await user('POST', '', { tasks: [], seal: false });
    expect([by, (await user('POST', `/${batchId}/tasks`, { tasks: [] })).by]).toEqual(['create', 'add']);
    for (const [path, name] of Object.entries({ '': 'get', '/tasks': 'listTasks', '/layers': 'listLayers' }))
      expect((await user('GET', `/${batchId}${path}`)).by).toBe(name);
    expect([(await user('GET', '')).by, (await user('PUT', `/${batchId}`, { seal: true })).by]).toEqual([
      'list',
      'change',
    ]);
    const ask = async (method: string, path: string, json?: object) =>
      (await call(method, `${host.url}/api/operator/batches${path}`, json ? { json } : {})).body.data.by;
    expect([await ask('GET', ''), await ask('GET', `/${batchId}`)]).toEqual(['batches', 'batch']);
    expect(await ask('PUT', `/${batchId}`, { seal: true })).toBe('changeBatch');
    expect(await ask('GET', `/${batchId}/tasks`)).toBe('batchTasks');
    expect(await ask('GET', `/${batchId}/layers`)).toBe('batchLayers');
  });
});
