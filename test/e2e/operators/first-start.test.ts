import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { UsageError } from '../../../src/server/cli/command.js';
import { token } from '../../../src/server/cli/token.command.js';
import { itInWhole } from '../../support/host.js';
import { call } from '../../support/http.js';
import { newFolder, type RunningServer, run, runBuilt, startServer } from '../../support/server.js';
import { failToServe, serveHere } from '../../support/server-here.js';
import { until } from '../../support/until.js';

/** What the server printed, to the last of the lines to paste. */
const shown = (server: RunningServer): Promise<string> =>
  until('the lines to paste', () => (server.output().includes('-F output=done') ? server.output() : undefined));

describe('the first start', () => {
  let server: RunningServer;
  beforeAll(async () => {
    server = await startServer();
    await shown(server);
  });
  afterAll(() => server?.stop());

  const bearer = (token: string): { headers: Record<string, string> } => ({
    headers: { authorization: `Bearer ${token}` },
  });
  const printed = (name: string): string => new RegExp(`^${name} token +(\\S+)`, 'm').exec(server.output())![1]!;

  it('prints the address, the OpenAPI page and both tokens', async () => {
    const output = server.output();
    expect(output).toContain(`@softdd/task     ${server.url}\n`);
    const [, page] = /^OpenAPI page +(\S+)$/m.exec(output)!;
    expect(page).toBe(`${server.url}/docs`);
    expect((await call('GET', `${server.url}/api/tasks`, bearer(printed('User')))).status).toBe(200);
    expect((await call('GET', `${server.url}/api/crontask`, bearer(printed('Worker')))).status).toBe(200);
  });

  it('shows the OpenAPI document as a page and as JSON', async () => {
    const page = await call('GET', `${server.url}/docs`);
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toContain('text/html');
    expect(page.text).toContain('swagger-ui');
    for (const [, asset] of page.text.matchAll(/(?:src|href)="(\.\/docs\/[^"]+)"/g))
      expect((await call('GET', new URL(asset!, `${server.url}/docs`).href)).status).toBe(200);
    const { body } = await call('GET', `${server.url}/docs-json`);
    expect(Object.keys(body.paths)).toEqual(
      expect.arrayContaining(['/api/tasks', '/api/crontask', '/health/live', '/health/ready']),
    );
  });

  it('prints three curl lines that work as printed', async () => {
    const lines = server
      .output()
      .split('\n')
      .filter((line) => /^ {2}(TASK=\$\()?curl /.test(line));
    expect(lines).toHaveLength(3);
    const { code, stdout, stderr } = await run('bash', ['-c', lines.join(' && echo && ')]);
    expect([code, stderr]).toEqual([0, '']);
    const [created, claimed, , finished] = stdout.split('\n');
    const { data } = JSON.parse(created!);
    expect(data).toMatchObject({ status: 10, input: 'hello' });
    expect(claimed).toBe(data.taskId);
    expect(JSON.parse(finished!).data.task).toMatchObject({ taskId: data.taskId, status: 30, output: 'done' });
  });

  it('keeps what it made where only the owner can read it', () => {
    const file = join(server.folder, 'data/secrets.json');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({
      jwtSecret: expect.stringMatching(/^[\w-]{43}$/),
      workerToken: printed('Worker'),
      operatorToken: printed('Operator'),
    });
  });

  it('keeps its database for its owner, also in a folder that was there before and is open to all', async () => {
    const folder = newFolder();
    mkdirSync(join(folder, 'data'), { mode: 0o755 });
    const other = await serveHere({ DATABASE_URL: `sqlite:${folder}/data/task.sqlite` });
    await other.stop();
    const files = readdirSync(join(folder, 'data')).filter((name) => name.startsWith('task.sqlite'));
    expect(files).toContain('task.sqlite');
    expect(files.filter((name) => (statSync(join(folder, 'data', name)).mode & 0o077) !== 0)).toEqual([]);
  });

  it('lets no second server use its SQLite file, and goes on', async () => {
    const { stdout, line } = await failToServe({ DATABASE_URL: `sqlite:${server.folder}/data/task.sqlite` });
    expect(stdout).toBe('');
    expect(line).toMatch(
      /^DATABASE_URL holds "sqlite:[^"]*\/data\/task.sqlite": the database cannot be used: Another server process uses the SQLite file .*; stop the other process, or use MySQL/,
    );
    expect(line).not.toContain('\n');
    expect((await call('GET', `${server.url}/health/ready`)).status).toBe(200);
  });

  it('is outlived by its tokens, which no later start prints', async () => {
    const [user, worker] = [printed('User'), printed('Worker')];
    const { data } = (await call('POST', `${server.url}/api/tasks`, { ...bearer(user), json: { input: 'x' } })).body;
    expect(await server.stop()).toBe(0);
    server = await startServer({}, server.folder);
    await shown(server);
    expect(server.output()).not.toContain(user);
    expect(server.output()).not.toContain(worker);
    const seen = await call('GET', `${server.url}/api/tasks/${data.taskId}`, bearer(user));
    expect(seen.body.data).toEqual(data);
    expect((await call('GET', `${server.url}/api/crontask`, bearer(worker))).body).toEqual({ status: 1, data: [] });
  });

  it('lets the token command make tokens for any user', async () => {
    const { code, stdout } = await runBuilt('cli.js', ['token', 'bob', '12h'], {}, server.folder);
    expect(code).toBe(0);
    const made = stdout.trim();
    const claims = JSON.parse(Buffer.from(made.split('.')[1]!, 'base64url').toString());
    expect(claims.sub).toBe('bob');
    expect(claims.exp - claims.iat).toBe(12 * 3600);
    const answer = await call('GET', `${server.url}/api/tasks`, bearer(made));
    expect(answer.body).toEqual({ status: 1, data: { list: [], nextCursor: null } });
  });
});

describe('the token command', () => {
  it.each([
    ['nothing', [], 'Usage: npm run token -- <user> [lifetime such as 30d or 12h]'],
    ['too much', ['alice', '1d', 'x'], 'Usage: npm run token -- <user> [lifetime such as 30d or 12h]'],
    [
      'a lifetime that is none',
      ['alice', 'soon'],
      'The lifetime must be such as 30d or 12h (s, m, h, d, w, y), not "soon".',
    ],
    ['no lifetime at all', ['alice', '0d'], 'The lifetime must be such as 30d or 12h (s, m, h, d, w, y), not "0d".'],
    ['a name that is too long', ['x'.repeat(256)], 'The user must be at most 255 characters.'],
  ])('refuses %s in one line', async (_, args, line) => {
    await expect(token(args, {})).rejects.toThrow(new UsageError(line));
  });

  it('ends with that line and exit code 1', async () => {
    const line = 'Usage: npm run token -- <user> [lifetime such as 30d or 12h]\n';
    expect(await runBuilt('cli.js', ['token'])).toEqual({ code: 1, stdout: '', stderr: line });
  });

  // A server of its own: in `npm run test:all`.
  itInWhole('may run before the first start, which still shows the worker token', async () => {
    const folder = newFolder();
    const { lines } = await token(['alice'], { DATABASE_URL: `sqlite:${folder}/data/task.sqlite` });
    const server = await startServer({}, folder);
    await shown(server);
    const answer = await call('GET', `${server.url}/api/tasks`, { headers: { authorization: `Bearer ${lines[0]}` } });
    await server.stop();
    expect(lines).toHaveLength(1);
    expect(answer.status).toBe(200);
    expect(server.output()).toMatch(/^Worker token +[\w-]{43}$/m);
  });
});
