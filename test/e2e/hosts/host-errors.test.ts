import { afterEach, describe, expect, it } from '@jest/globals';
import {
  type CanActivate,
  ConflictException,
  type ExecutionContext,
  ForbiddenException,
  HttpException,
  type LoggerService,
  ServiceUnavailableException,
  UnauthorizedException,
} from '@nestjs/common';
import {
  type CreateTaskDto,
  TaskController,
  TaskError,
  type TaskJson,
  type TaskModuleOptions,
} from '../../../src/index.js';
import { ADAPTERS, HeaderGuard, type Host, startHost } from '../../support/host.js';

/** Throws what the header `x-throw` asks for, as a host's guards and throttlers do. */
class ThrowingGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { headers } = context.switchToHttp().getRequest<{ headers: Record<string, string> }>();
    const thrown: Record<string, () => unknown> = {
      401: () => new UnauthorizedException(),
      expired: () => new UnauthorizedException('the session is over'),
      403: () => new ForbiddenException(),
      409: () => new ConflictException('host says no'),
      429: () => new HttpException('Too Many Requests', 429),
      503: () => new ServiceUnavailableException(),
      false: () => undefined,
      unknown: () => new Error("SELECT password FROM users WHERE id = 'alice'"),
      text: () => 'a thrown string',
    };
    const make = thrown[headers['x-throw'] ?? ''];
    if (!make) return true;
    const error = make();
    if (error === undefined) return false;
    throw error;
  }
}

class FailingController extends TaskController {
  override async create(_userId: string, body: CreateTaskDto): Promise<TaskJson> {
    if (body.input === 'sql') await this.tasks.dataSource.query('SELECT secret FROM nowhere');
    if (body.input === 'unheard') throw new TaskError('UNHEARD_OF');
    throw new TaskError('TOO_MANY_TASK', { limit: 3 });
  }
}

describe.each(ADAPTERS)("what a host's own code throws on our routes, with %s", (adapter) => {
  let host: Host;
  afterEach(() => host?.close());

  const logged: string[] = [];
  const note = (message: unknown) => void logged.push(String(message));
  const logger: LoggerService = { log: () => undefined, warn: note, error: note };
  const start = async (options: TaskModuleOptions) =>
    (host = await startHost({ engine: 'sqlite', adapter, options, nest: { logger } }));

  it.each([
    ['401', 430, { code: 10001, msg: 'invalid token' }],
    ['expired', 430, { code: 10001, msg: 'invalid token', detail: 'the session is over' }],
    ['403', 430, { code: 14002, msg: 'invalid access' }],
    ['false', 430, { code: 14002, msg: 'invalid access' }],
    ['429', 429, { code: 14009, msg: 'too many requests' }],
    ['503', 503, { code: 14011, msg: 'temporarily unavailable' }],
    ['409', 409, { code: 409, msg: 'host says no' }],
    ['unknown', 500, { code: 14012, msg: 'internal error' }],
    ['text', 500, { code: 14012, msg: 'internal error' }],
  ])('%s becomes %i in the envelope', async (thrown, status, data) => {
    const { user, worker } = await start({ guards: [HeaderGuard, ThrowingGuard], cronGuards: [ThrowingGuard] });
    const headers = { 'x-throw': thrown };
    for (const answer of [
      await user('alice', 'GET', '/api/tasks', { headers }),
      await worker('GET', '/api/crontask', { headers }),
    ]) {
      expect([answer.status, answer.body]).toMatchObject([status, { status: 0, data }]);
      expect(answer.headers.get('cache-control')).toBe('no-cache');
      expect(answer.headers.get('retry-after')).toBe(status === 429 || status === 503 ? '1' : null);
      expect(answer.text).not.toMatch(/SELECT|password|\bat .+:\d+/);
    }
  });

  it('a failure of SQL gives away nothing, and is logged', async () => {
    const { user } = await start({ controller: FailingController });
    logged.length = 0;
    const answer = await user('alice', 'POST', '/api/tasks', { json: { input: 'sql' } });
    expect([answer.status, answer.body]).toEqual([500, { status: 0, data: { code: 14012, msg: 'internal error' } }]);
    expect(logged.join('\n')).toContain('nowhere');
  });

  it('an entry of the catalogue is answered with its detail; one that is in no catalogue is an internal error', async () => {
    const { user } = await start({ controller: FailingController });
    const answer = await user('alice', 'POST', '/api/tasks', { json: { input: 'in' } });
    expect([answer.status, answer.body.data]).toEqual([
      403,
      { code: 14003, msg: 'too many tasks', detail: { limit: 3 } },
    ]);
    const unheard = await user('alice', 'POST', '/api/tasks', { json: { input: 'unheard' } });
    expect([unheard.status, unheard.body.data]).toEqual([500, { code: 14012, msg: 'internal error' }]);
  });
});
