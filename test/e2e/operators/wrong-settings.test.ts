import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { readConfig } from '../../../src/server/config.js';
import { type Engine, ENGINES } from '../../support/databases.js';
import { itInWhole } from '../../support/host.js';
import { newFolder, runBuilt, startServer } from '../../support/server.js';
import { failToServe } from '../../support/server-here.js';
import { until } from '../../support/until.js';

const held = (environment: Record<string, string>): string => {
  try {
    readConfig(environment);
  } catch (error) {
    return (error as Error).message;
  }
  return '';
};

describe('a wrong value', () => {
  it.each([
    ['PORT', 'abc', 'it must be an integer from 0 to 65535 (0: any free port)'],
    ['PORT', '65536', 'it must be an integer from 0 to 65535 (0: any free port)'],
    ['PORT', '-1', 'it must be an integer from 0 to 65535 (0: any free port)'],
    ['PORT', '3000.5', 'it must be an integer from 0 to 65535 (0: any free port)'],
    [
      'DATABASE_URL',
      'nonsense',
      'it must begin with sqlite:, mysql://, mariadb:// or postgres://, as in sqlite:data/task.sqlite',
    ],
    ['DATABASE_URL', 'sqlite:', 'it must name a file, as in sqlite:data/task.sqlite'],
    [
      'DATABASE_URL',
      'mysql://root@db:3306',
      'it must have the form mysql://user:password@host:3306/database, percent-encoded where necessary',
    ],
    [
      'DATABASE_URL',
      'postgres://u@db/',
      'it must have the form postgres://user:password@host:5432/database, percent-encoded where necessary',
    ],
    [
      'DATABASE_URL',
      'mysql://u@db:port/x',
      'it must have the form mysql://user:password@host:3306/database, percent-encoded where necessary',
    ],
    [
      'TASK_CORS_ORIGINS',
      'example.com',
      'it must be origins such as https://app.example.com, separated by commas, or *',
    ],
    [
      'TASK_CORS_ORIGINS',
      'https://a.example/path',
      'it must be origins such as https://app.example.com, separated by commas, or *',
    ],
    ['TASK_CALLBACK_URL', 'ftp://x', 'callbackUrl must be an http:// or https:// URL'],
    [
      'TASK_CALLBACK_ALLOW',
      'https://a.example/hooks',
      'callbackAllow must be a list of origins such as https://hooks.example.com; "https://a.example/hooks" is not an origin; give only scheme, host and port',
    ],
    ['TASK_CALLBACK_RETRY', '[5,300]', 'callbackRetry must be an object { delays, jitter }'],
    ['TASK_CALLBACK_TIMEOUT', '61', 'callbackTimeout must not be greater than 60'],
    ['TASK_CALLBACK_RETENTION', '-1', 'callbackRetention must not be less than 0'],
    ['TASK_DELIVER_CALLBACKS', 'no', 'it must be true or false'],
    ['TASK_BODY_LIMIT', 'abc', 'it must be an integer'],
    ['TASK_BODY_LIMIT', '1e6', 'it must be an integer'],
    ['TASK_BODY_LIMIT', '1023', 'bodyLimit must not be less than 1024'],
    ['TASK_BODY_LIMIT', '67108865', 'bodyLimit must not be greater than 67108864'],
    ['TASK_TIME_ZONE', 'Mars', 'timeZone must be an offset such as +08:00'],
    ['TASK_MIGRATE', 'perhaps', 'it must be true or false'],
    ['TASK_DEFAULT_SERVICE', 'x'.repeat(65), 'defaultService must be shorter than or equal to 64 characters'],
  ])('%s=%s is named, with what it may hold', (variable, value, remedy) => {
    expect(held({ [variable]: value })).toBe(`${variable} holds ${JSON.stringify(value)}: ${remedy}`);
  });

  it.each([
    ['TASK_PORT', '3000', 'PORT'],
    ['TASK_DATABASE_URL', 'geheim', 'DATABASE_URL'],
    ['TASK_WORKER_TOKNES', 'geheim', 'TASK_WORKER_TOKENS'],
    ['TASK_JWT_SECERT', 'geheim', 'TASK_JWT_SECRET'],
    ['TASK_CALBACK_URL', 'https://u:geheim@app.example', 'TASK_CALLBACK_URL'],
    ['task_lease', '60', 'TASK_LEASE'],
    ['TASK_BODYLIMIT', '', 'TASK_BODY_LIMIT'],
  ])('%s, which nobody reads, is named without its value', (variable, value, meant) => {
    expect(held({ [variable]: value })).toBe(
      `${variable} holds "…": there is no such setting; did you mean ${meant}? Correct it, or unset it`,
    );
  });

  it('a variable that resembles none is refused, too', () => {
    expect(held({ TASK_SOMETHING_ELSE: 'geheim' })).toBe(
      'TASK_SOMETHING_ELSE holds "…": there is no such setting; docs/configuration.md lists all of them. Correct it, or unset it',
    );
  });

  it('variables that Kubernetes, Docker or a worker beside the server have are let pass', () => {
    const links = {
      TASK_SERVICE_HOST: '10.0.0.1',
      TASK_SERVICE_PORT: '3000',
      TASK_SERVICE_PORT_HTTP: '3000',
      TASK_PORT: 'tcp://10.0.0.1:3000',
      TASK_PORT_3000_TCP: 'tcp://10.0.0.1:3000',
      TASK_PORT_3000_TCP_ADDR: '10.0.0.1',
      TASK_PORT_3000_TCP_PORT: '3000',
      TASK_DB_PORT: 'tcp://10.0.0.2:5432',
      TASK_DB_NAME: '/web/db',
      TASK_DB_ENV_PGDATA: '/data',
      TASK_URL: 'http://127.0.0.1:3000',
      TASK_WORKER_TOKEN: 'w',
      TASKS: '1',
    };
    expect(readConfig(links).task).toEqual({});
  });

  it.each(['', ' '])('DATABASE_URL that is empty (%j) is refused', (url) => {
    expect(held({ DATABASE_URL: url })).toBe(
      'DATABASE_URL holds "": set a database such as postgres://user:password@host:5432/database, or unset the variable for the embedded one',
    );
  });

  it.each([
    [{ TASK_JWT_SECRET: 'geheim-geheim' }, 'TASK_JWT_SECRET holds "…": it must be at least 32 bytes'],
    [
      { TASK_WORKER_TOKENS: 'geheim' },
      'TASK_WORKER_TOKENS holds "…": each of workerTokens must be at least 16 printable characters',
    ],
    [
      { TASK_CALLBACK_SECRET: 'whsec_geheim' },
      'TASK_CALLBACK_SECRET holds "…": callbackSecret must be whsec_ and the base64 of 24 to 64 random bytes',
    ],
    [{ DATABASE_URL: 'oracle://u:geheim@db/x' }, 'DATABASE_URL holds "oracle://u:***@db/x": it must begin with'],
    [{ DATABASE_URL: 'u:geheim@db/x' }, 'DATABASE_URL holds ":***@db/x": it must begin with'],
    [{ DATABASE_URL: 'mysql://u:ge@geheim@db' }, 'DATABASE_URL holds "mysql://u:***@db": it must have the form'],
    [{ DATABASE_URL: 'mysql://u:geheim%@db/x' }, 'DATABASE_URL holds "mysql://u:***@db/x": it must have the form'],
    [
      { DATABASE_URL: 'postgres://db?password=geheim' },
      'DATABASE_URL holds "postgres://db?password=***": it must have the form',
    ],
    [{ DATABASE_URL: 'host=db password=geheim' }, 'DATABASE_URL holds "host=db password=***": it must begin with'],
    [{ TASK_CALLBACK_URL: 'http://u:geheim@[x/done' }, 'TASK_CALLBACK_URL holds "http://u:***@[x/done": callbackUrl'],
    [{ TASK_CALLBACK_URL: 'ftp://x/?access_token=geheim&a=1' }, 'holds "ftp://x/?access_token=***&a=1": callbackUrl'],
    [{ TASK_CORS_ORIGINS: 'https://u:geheim@app.example' }, 'TASK_CORS_ORIGINS holds "https://u:***@app.example": it'],
    [{ TASK_CALLBACK_ALLOW: 'https://a.example,https://u:geheim@b.example' }, '@b.example" is not an origin'],
    [{ HOST: '0.0.0.0', PORT: '1 token=geheim' }, 'PORT holds "1 token=***": it must be'],
  ])('that is secret is not shown: %j', (environment, line) => {
    expect(held(environment as unknown as Record<string, string>)).toContain(line);
    expect(held(environment as unknown as Record<string, string>)).not.toContain('geheim');
  });
});

/** The process ends with code 1 and this one line, and nothing else. */
async function expectEnd(environment: Record<string, string>, line: RegExp, folder: string): Promise<void> {
  const { code, stdout, stderr } = await runBuilt('main.js', [], environment, folder);
  expect(stdout).toBe('');
  expect(stderr).toMatch(line);
  expect(stderr.trimEnd()).not.toContain('\n');
  expect(code).toBe(1);
}

/** Holds a port meanwhile. The line says so. */
async function onUsedPort(start: (port: string, line: RegExp) => Promise<void>): Promise<void> {
  const other = createServer().listen(0, '127.0.0.1');
  await new Promise((listening) => other.once('listening', listening));
  const { port } = other.address() as AddressInfo;
  await start(String(port), new RegExp(`^PORT holds ${port}: it is in use on 127.0.0.1; use another port$`, 'm'));
  other.close();
}

describe('the start ends with one line and exit code 1', () => {
  it('for a wrong value in .env', async () => {
    const folder = newFolder();
    writeFileSync(join(folder, '.env'), 'TASK_MIGRATE=maybe\n');
    await expectEnd({}, /^TASK_MIGRATE holds "maybe": it must be true or false$/m, folder);
  });

  // Two more starts: in `npm run test:all`. The line itself is below.
  itInWhole('for a port that is in use, and then shows its tokens at the start that succeeds', async () => {
    const folder = newFolder();
    await onUsedPort((port, line) => expectEnd({ PORT: port }, line, folder));
    const server = await startServer({}, folder);
    await until('its tokens', () => /^Worker token +[\w-]{43}$/m.test(server.output()));
    await server.stop();
  });
});

/** The start fails with this one line, having printed nothing. What main.ts makes of it is tested above. */
async function expectLine(environment: Record<string, string>, line: RegExp): Promise<void> {
  const failed = await failToServe(environment);
  expect(failed.line).toMatch(line);
  expect(failed.line).not.toContain('\n');
  expect(failed.stdout).toBe('');
}

describe('the start fails with one line', () => {
  it('for a wrong value', () => expectLine({ PORT: 'abc' }, /^PORT holds "abc": it must be an integer/));

  it('for a port that is in use', () => onUsedPort((PORT, line) => expectLine({ PORT }, line)));

  it("for an address that isn't this machine's", () =>
    expectLine(
      { HOST: '203.0.113.7' },
      /^HOST holds "203.0.113.7": it must be an address of this machine such as 127.0.0.1 or 0.0.0.0/,
    ));

  it.each(['mariadb', 'postgres'])('for a database that nobody serves (%s)', (scheme) =>
    expectLine(
      { DATABASE_URL: `${scheme}://u:geheim@127.0.0.1:9/x` },
      new RegExp(
        `^DATABASE_URL holds "${scheme}://u:\\*\\*\\*@127.0.0.1:9/x": the database cannot be used: connect ECONNREFUSED 127.0.0.1:9$`,
      ),
    ),
  );

  it("for a folder that can't be made", async () => {
    const folder = newFolder();
    writeFileSync(join(folder, 'file'), '');
    const line = /^DATABASE_URL holds "sqlite:[^"]*\/file\/data\/x.sqlite": the database cannot be used: ENOTDIR/;
    await expectLine({ DATABASE_URL: `sqlite:${folder}/file/data/x.sqlite` }, line);
  });

  it('for a file that is no database', async () => {
    const folder = newFolder();
    writeFileSync(join(folder, 'x.sqlite'), 'nothing of the kind, '.repeat(100));
    const line = /^DATABASE_URL holds "sqlite:[^"]*\/x.sqlite": the database cannot be used: file is not a database$/;
    await expectLine({ DATABASE_URL: `sqlite:${folder}/x.sqlite` }, line);
  });

  it('for secrets that cannot be read', async () => {
    const folder = newFolder();
    writeFileSync(join(folder, 'secrets.json'), '{', { mode: 0o600 });
    await expectLine(
      { DATABASE_URL: `sqlite:${folder}/task.sqlite` },
      new RegExp(
        `^TASK_JWT_SECRET holds "": repair ${folder}/secrets.json, which cannot be used, or remove it .*\\(it is not JSON\\)$`,
      ),
    );
  });
});

describe('a database server that turns us away', () => {
  const cases: [engine: Engine, what: string, change: (url: URL) => void, why: RegExp][] = [
    [
      'mysql',
      'a wrong password',
      (url) => ([url.username, url.password] = ['nobody', 'geheim']),
      /Access denied for user 'nobody'/,
    ],
    [
      'mysql',
      'a missing database',
      (url) => (url.pathname = '/no_such_database'),
      /Unknown database 'no_such_database'/,
    ],
    ['postgres', 'an unknown user', (url) => ([url.username, url.password] = ['nobody', 'geheim']), /nobody/],
    [
      'postgres',
      'a missing database',
      (url) => (url.pathname = '/no_such_database'),
      /database "no_such_database" does not exist/,
    ],
  ];
  const urls: Partial<Record<Engine, string | undefined>> = {
    mysql: process.env.TEST_MYSQL_URL,
    postgres: process.env.TEST_POSTGRES_URL,
  };

  for (const [engine, what, change, why] of cases)
    (ENGINES.includes(engine) ? it : it.skip)(`${engine}: ${what}`, async () => {
      const url = new URL(urls[engine]!);
      url.pathname = `/${engine}`;
      change(url);
      await expectLine(
        { DATABASE_URL: url.href },
        new RegExp(`^DATABASE_URL holds "${engine}://[^ ]*": the database cannot be used: .*${why.source}`),
      );
    });
});
