import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { token as tokenOf } from '../../../src/server/cli/token.command.js';
import { describeInWhole } from '../../support/host.js';
import { call } from '../../support/http.js';
import { type RunningServer, startServer } from '../../support/server.js';
import { until } from '../../support/until.js';

// A server of its own: in `npm run test:all`. test/e2e/operators/npm-start.test.ts reads such a log, too.
describeInWhole('the log of a server in production', () => {
  const PRODUCTION = { NODE_ENV: 'production' };
  let server: RunningServer;
  let kept: { jwtSecret: string; workerToken: string };
  let token: string;

  beforeAll(async () => {
    server = await startServer(PRODUCTION);
    await until('where the secrets are', () => server.output().includes('created secrets'));
    kept = JSON.parse(readFileSync(join(server.folder, 'data/secrets.json'), 'utf8'));
    const { lines } = await tokenOf(['alice'], { DATABASE_URL: `sqlite:${server.folder}/data/task.sqlite` });
    token = lines.join();
  });
  afterAll(() => server?.stop());

  it('says where the tokens of the first start are: both work', async () => {
    expect(server.output()).toContain(`kept in ${join(server.folder, 'data/secrets.json')}`);
    const ask = (path: string, bearer: string): Promise<number> =>
      call('GET', server.url + path, { headers: { authorization: `Bearer ${bearer}` } }).then(({ status }) => status);
    expect([await ask('/api/tasks', token), await ask('/api/crontask', kept.workerToken)]).toEqual([200, 200]);
  });

  it('is one JSON object a line, from the start to the end', async () => {
    expect(await server.stop()).toBe(0);
    const lines = server
      .output()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    for (const line of lines)
      expect(line).toMatchObject({
        level: 'log',
        timestamp: expect.any(Number),
        message: expect.any(String),
        context: expect.any(String),
      });
    expect(lines.map((line) => line.message)).toEqual([
      expect.stringMatching(/migrated the database/),
      expect.stringMatching(/^listening on http:\/\/127.0.0.1:\d+, database sqlite:data\/task.sqlite$/),
      expect.stringMatching(/^created secrets/),
      'SIGTERM: draining',
      'stopped',
    ]);
  });

  it('holds no secret', () => {
    for (const secret of [kept.jwtSecret, kept.workerToken, token]) expect(server.output()).not.toContain(secret);
    expect(server.output()).not.toContain('eyJ');
  });
});
