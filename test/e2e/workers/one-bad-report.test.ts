import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ForbiddenException, type LoggerService } from '@nestjs/common';
import { WorkerTaskController, type CronTaskJson, type ReportTaskDto, TaskError } from '../../../src/index.js';
import { dataOf, expectFailure } from '../../support/answers.js';
import { ADAPTERS, type Host, startHost } from '../../support/host.js';

/** Fails by what the report says as `error`, as a database or a host's own code would. */
const FAILURES: Record<string, () => unknown> = {
  away: () => new TaskError('UNAVAILABLE', undefined, { cause: new Error('the row is locked') }),
  bug: () => new Error('a bug of the host'),
  forbidden: () => new ForbiddenException('not this one'),
};
class FailingController extends WorkerTaskController {
  override async report(taskId: string, body: ReportTaskDto): Promise<CronTaskJson> {
    const failure = FAILURES[body.error ?? ''];
    if (failure) throw failure();
    return super.report(taskId, body);
  }
}

describe.each(ADAPTERS)('one bad report among many with %s', (adapter) => {
  const logged: { level: string; message: string }[] = [];
  const note =
    (level: string) =>
    (message: unknown): void =>
      void logged.push({ level, message: String(message) });
  const logger: LoggerService = {
    log: () => undefined,
    warn: note('warn'),
    error: note('error'),
    fatal: note('fatal'),
  };
  let host: Host;
  let taskId: string;
  beforeAll(async () => {
    const options = { cronController: FailingController };
    host = await startHost({ engine: 'sqlite', adapter, options, nest: { logger } });
  });
  afterAll(() => host?.close());
  beforeEach(async () => {
    ({ taskId } = await host.tasks.create({ userId: 'alice', input: 'in', status: 10 }));
    await host.tasks.claim({ taskId, legacy: true });
    logged.length = 0;
  });

  const report = (reports: unknown[]) => host.worker('PUT', '/api/crontask', { json: { reports } });
  const codesOf = (list: any[]): number[] => list.map(({ data }) => data.code);

  it.each<[string, unknown, string]>([
    ['an object', { toString: 1 }, 'taskId'],
    ['a list', ['x'], 'taskId'],
    ['a number', 7, 'taskId'],
    ['absent', undefined, 'taskId'],
    ['nested 60 deep', JSON.parse('['.repeat(60) + ']'.repeat(60)), 'taskId'],
  ])('a taskId that is %s is INVALID_PARAM in its place, and the end beside it counts', async (_, bad, field) => {
    const { list } = dataOf(await report([{ taskId, status: 30 }, { taskId: bad }]));
    expect(list[0]).toMatchObject({ taskId, status: 1, data: { task: { status: 30 } } });
    expect(list[1]).toMatchObject({ status: 0, data: { code: 14004, detail: [{ field, rule: 'string' }] } });
    expect(list[1].taskId).toEqual(bad);
    expect(logged).toEqual([]);
  });

  it('what is no object is INVALID_PARAM in its place', async () => {
    const { list } = dataOf(await report([null, 7, 'x', [], { taskId, status: 30 }]));
    expect(codesOf(list)).toEqual([14004, 14004, 14004, 14004, undefined]);
  });

  it('what the server can not do just now, or fails at, is told in its place, and logged once', async () => {
    const said = [{ error: 'away' }, { error: 'bug' }, { error: 'forbidden' }, {}].map((words) => ({
      taskId,
      ...words,
    }));
    const { list } = dataOf(await report(said));
    expect(codesOf(list)).toEqual([14011, 14012, 14002, undefined]);
    expect(list[2].data.detail).toBe('not this one');
    expect(JSON.stringify(list)).not.toContain('a bug');
    expect(logged.map(({ level }) => level)).toEqual(['warn', 'error']);
    expect(logged[0]!.message).toContain('the row is locked');
    expect(logged[1]!.message).toContain('a bug of the host');
  });

  it('where it could take none of them, the request itself fails so', async () => {
    const away = await report([
      { taskId, error: 'away' },
      { taskId, error: 'away' },
    ]);
    expect(away.status).toBe(503);
    expect(away.headers.get('retry-after')).toBe('1');
    expect(away.body).toEqual({ status: 0, data: { code: 14011, msg: 'temporarily unavailable' } });
    expect((await report([{ taskId, error: 'bug' }])).body.data.code).toBe(14012);
    // What is wrong with a report stays with it, beside such failures too.
    const mixed = dataOf(await report([{ taskId, error: 'away' }, { taskId: 'nobody' }]));
    expect(codesOf(mixed.list)).toEqual([14011, 14001]);
    expectFailure(await report([]), 'INVALID_PARAM', ['reports', 'arrayNotEmpty']);
  });
});
