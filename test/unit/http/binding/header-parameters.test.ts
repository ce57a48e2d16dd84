import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { HttpCode, Post, Req, type Type } from '@nestjs/common';
import {
  type ClaimAnswer,
  type ClaimTaskDto,
  CreateTaskDto,
  WorkerTaskController,
  type CronTaskJson,
  type ReportTaskDto,
  TaskController,
  TaskInput,
  type TaskJson,
  UserId,
} from '../../../../src/index.js';
import { dataOf } from '../../../support/answers.js';
import { ADAPTERS, type Host, startHost } from '../../../support/host.js';

/** What each handler of the host's was given. */
let seen: Record<string, unknown>[] = [];

class Reading extends TaskController {
  override async create(userId: string, body: CreateTaskDto, ...rest: never[]): Promise<TaskJson> {
    seen.push({ key: body.idempotencyKey, rest });
    const { input, ...others } = body;
    return super.create(userId, { ...others, input: `${input}!` });
  }

  override async createMany(userId: string, body: CreateTaskDto[]): Promise<{ list: TaskJson[] }> {
    seen.push({ keys: body.map(({ idempotencyKey }) => idempotencyKey) });
    return super.createMany(
      userId,
      body.map((task) => ({ ...task })),
    );
  }

  @HttpCode(200)
  @Post('/api/tasks/quick')
  async quick(@UserId() userId: string, @TaskInput('POST') body: CreateTaskDto): Promise<TaskJson> {
    return this.create(userId, body);
  }
}

class Decorated extends TaskController {
  /** Ours has a header in this place. */
  override async create(
    @UserId() userId: string,
    @TaskInput('POST') body: CreateTaskDto,
    @Req() request?: { method: string },
  ): Promise<TaskJson> {
    seen.push({ key: body.idempotencyKey, method: request?.method });
    return super.create(userId, body);
  }
}

class Workers extends WorkerTaskController {
  override async claim(query: ClaimTaskDto): Promise<ClaimAnswer> {
    seen.push({ key: query.idempotencyKey, credential: query.credential });
    return super.claim({ ...query });
  }

  override async report(taskId: string, body: ReportTaskDto): Promise<CronTaskJson> {
    seen.push({ token: body.leaseToken });
    return super.report(taskId, body);
  }
}

describe.each(ADAPTERS)("headers, for a host's own handlers, with %s", (adapter) => {
  let host: Host;
  afterEach(async () => {
    seen = [];
    await host?.close();
  });
  const start = async (controller: Type<TaskController> = Reading) => {
    host = await startHost({ engine: 'sqlite', adapter, options: { controller, cronController: Workers } });
  };
  const keyed = (key: string, json: unknown, path = '/api/tasks') =>
    host.user('alice', 'POST', path, { json, headers: { 'Idempotency-Key': key } });

  it('are on the DTO, and are handed on with it', async () => {
    await start();
    const first = dataOf(await keyed('k', { input: 'in' }));
    expect(first.input).toBe('in!');
    expect(dataOf(await keyed('k', { input: 'in' })).taskId).toBe(first.taskId);
    expect(seen).toEqual([
      { key: 'k', rest: [] },
      { key: 'k', rest: [] },
    ]);
    const list = dataOf(await keyed('l', [{ input: 'a' }, { input: 'b' }]));
    expect(dataOf(await keyed('l', [{ input: 'a' }, { input: 'b' }]))).toEqual(list);
    expect(seen.at(-1)).toEqual({ keys: ['l', 'l'] });
    const quick = dataOf(await keyed('q', { input: 'in' }, '/api/tasks/quick'));
    expect(dataOf(await keyed('q', { input: 'in' }, '/api/tasks/quick')).taskId).toBe(quick.taskId);
    expect(seen.at(-1)).toEqual({ key: 'q', rest: [] });
  });

  it('are never read from the body', async () => {
    await start();
    const json = { input: 'in', idempotencyKey: 'body' };
    const answer = await host.user('alice', 'POST', '/api/tasks', { json });
    expect([seen, answer.headers.get('x-task-ignored')]).toEqual([[{ key: undefined, rest: [] }], 'idempotencyKey']);
  });

  it("leave their place to the host's own parameters", async () => {
    await start(Decorated);
    const { taskId } = dataOf(await keyed('k', { input: 'in' }));
    expect(dataOf(await keyed('k', { input: 'in' })).taskId).toBe(taskId);
    expect(seen.at(-1)).toEqual({ key: 'k', method: 'POST' });
  });

  it('are on the DTOs of workers, the token unless the body says one', async () => {
    await start();
    const { taskId } = await host.tasks.create({ userId: 'alice', input: 'in', status: 10 });
    const claim = () => host.worker('POST', '/api/crontask', { json: {}, headers: { 'Idempotency-Key': 'k' } });
    const { leaseToken } = dataOf(await claim());
    expect(dataOf(await claim()).leaseToken).toBe(leaseToken);
    expect(seen.at(-1)).toEqual({ key: 'k', credential: expect.stringMatching(/^[0-9a-f]{64}$/) });
    const report = (json: object, token: string) =>
      host.worker('PUT', `/api/crontask/${taskId}`, { json, headers: { 'Lease-Token': token } });
    expect((await report({ progress: 1 }, leaseToken)).status).toBe(200);
    expect(seen.at(-1)).toEqual({ token: leaseToken });
    expect((await report({ progress: 2, leaseToken }, 'other')).status).toBe(200);
    expect(seen.at(-1)).toEqual({ token: leaseToken });
  });
});

describe.each(ADAPTERS)('headers, for our own handlers, with %s', (adapter) => {
  let host: Host;
  beforeEach(async () => {
    host = await startHost({ engine: 'sqlite', adapter });
  });
  afterEach(() => host?.close());

  it('are parameters: the token in a header gives way to the one in the body', async () => {
    const { taskId } = await host.tasks.create({ userId: 'alice', input: 'in', status: 10 });
    const { leaseToken } = dataOf(await host.worker('POST', '/api/crontask', { json: { lease: 60 } }));
    const report = (json: object, token: string) =>
      host.worker('PUT', `/api/crontask/${taskId}`, { json, headers: { 'Lease-Token': token } });
    expect((await report({ progress: 1 }, leaseToken)).status).toBe(200);
    expect((await report({ progress: 2, leaseToken }, 'other')).status).toBe(200);
    expect((await report({ progress: 3 }, 'other')).status).toBe(409);
  });

  it('name a bad key once, however many tasks come with it', async () => {
    const json = [{ input: 'a' }, { input: 'b' }];
    const answer = await host.user('alice', 'POST', '/api/tasks', { json, headers: { 'Idempotency-Key': 'a\tb' } });
    expect(answer.body.data.detail.map(({ field }: { field: string }) => field)).toEqual(['Idempotency-Key']);
  });
});
