import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { callbacks } from '../../../src/server/cli/callbacks.command.js';
import { UsageError } from '../../../src/server/cli/command.js';
import { ConfigError } from '../../../src/server/failure.js';
import { userToken } from '../../../src/server/secrets.js';
import { type Receiver, startReceiver, status } from '../../unit/callbacks/fixtures/receiver.js';
import { createDatabase, type TestDatabase } from '../../support/databases.js';
import { spread } from '../../support/host.js';
import { call } from '../../support/http.js';
import { newFolder } from '../../support/server.js';
import { runCommand, type ServerHere, serveHere } from '../../support/server-here.js';
import { until } from '../../support/until.js';

const JWT = 'a-secret-of-at-least-32-bytes-in-length';
const WORKER = { authorization: 'Bearer a-worker-token-of-ours' };

describe.each(spread(import.meta))('what an operator without any UI has ($engine)', ({ engine }) => {
  let database: TestDatabase;
  let receiver: Receiver;
  let server: ServerHere;
  let user: Record<string, string>;
  beforeAll(async () => {
    database = await createDatabase(engine);
    receiver = await startReceiver();
    receiver.answer = status(500);
    user = { authorization: `Bearer ${await userToken(JWT, 'alice')}` };
    server = await serveHere({
      DATABASE_URL: database.url,
      TASK_JWT_SECRET: JWT,
      TASK_WORKER_TOKENS: 'a-worker-token-of-ours',
      TASK_CALLBACK_URL: receiver.url,
      TASK_CALLBACK_RETRY: '{"delays":[],"jitter":0}',
    });
  });
  afterAll(async () => {
    await server?.stop();
    await receiver?.close();
    await database?.drop();
  });

  const linesOf = async (...args: string[]): Promise<string[]> =>
    (await callbacks(args, { DATABASE_URL: database.url })).lines;
  async function fail(error: string): Promise<string> {
    const { body } = await call('POST', `${server.url}/api/tasks`, {
      json: { input: 'in', service: 'video', status: 10 },
      headers: user,
    });
    const { taskId } = body.data;
    await call('GET', `${server.url}/api/crontask?taskId=${taskId}`, { headers: WORKER });
    await call('PUT', `${server.url}/api/crontask/${taskId}`, { json: { status: -10, error }, headers: WORKER });
    return taskId;
  }
  const logged = (part: string): string[] => server.logs.filter((line) => line.includes(part));

  it('is told of each task that fails, in one line', async () => {
    const taskId = await fail('no such codec\n  at frame 7');
    await until('the line', () => logged(taskId).find((line) => line.includes('has failed')));
    expect(logged(taskId).filter((line) => line.includes('has failed'))).toEqual([
      `task "${taskId}" has failed: service "video", owner "alice", attempt 1: no such codec`,
    ]);
  });

  it('is told of dead callbacks, by a line whose command delivers them, beside the server that runs', async () => {
    const taskId = await fail('x');
    const [line] = await until('a dead callback', () => {
      const lines = logged(taskId).filter((line) => line.includes('is dead'));
      return lines.length > 0 ? lines : undefined;
    });
    const [, command, id] = /npm run callbacks -- (replay) (\S+)$/.exec(line!)!;
    const list = await linesOf('list');
    expect(list.find((each) => each.startsWith(id!))).toMatch(
      new RegExp(
        `^${id} {2}dead {2}task\\.failed {2}task ${taskId} {2}${receiver.url}\\S* {2}tries: 1, last at .*: HTTP 500$`,
      ),
    );
    receiver.answer = status(204);
    const ended = await runCommand(callbacks, [command!, id!], { DATABASE_URL: database.url });
    expect(ended).toEqual({ code: 0, stdout: `${id} is due now\n`, stderr: '' });
    await until('delivered', async () => (await linesOf('list', 'delivered')).some((each) => each.startsWith(id!)));
    expect((await linesOf('replay', 'dead')).join('\n')).toMatch(/^\d+ callbacks? (is|are) due now$/);
    await until('none is dead', async () => (await linesOf('list')).join('\n') === 'no callback is dead');
  });

  it('is told of an id that is none', async () => {
    const { code, stdout } = await runCommand(callbacks, ['replay', 'nonsense'], { DATABASE_URL: database.url });
    expect([code, stdout]).toEqual([
      1,
      '"nonsense" is not the id of a callback; npm run callbacks -- list shows their ids\n',
    ]);
  });
});

describe('the callbacks command', () => {
  it.each([[[]], [['list', 'lost']], [['replay']], [['drop', 'x']]])('%j: says how it is used', async (args) => {
    await expect(callbacks(args, {})).rejects.toThrow(UsageError);
    await expect(callbacks(args, {})).rejects.toThrow(/^Usage: npm run callbacks -- list/);
  });

  it('says so on stderr, with exit code 1', async () => {
    const { code, stdout, stderr } = await runCommand(callbacks, ['drop', 'x'], {});
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^Usage: npm run callbacks -- list/);
  });

  it('makes no database where there is none', async () => {
    const DATABASE_URL = `sqlite:${newFolder()}/data/task.sqlite`;
    for (let time = 0; time < 2; time++)
      await expect(callbacks(['list'], { DATABASE_URL })).rejects.toThrow(
        new ConfigError('DATABASE_URL', DATABASE_URL, 'this file does not exist yet; run npm start first'),
      );
  });
});
