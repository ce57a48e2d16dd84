import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { jwtVerify } from 'jose';
import { readConfig } from '../../../src/server/config.js';
import { variableOf } from '../../../src/server/failure.js';
import { userToken } from '../../../src/server/secrets.js';
import { valueNames } from '../../../src/options/task.values.js';
import { type Answer, call, type CallOptions } from '../../support/http.js';
import { newFolder, type RunningServer, startServer } from '../../support/server.js';
import { until } from '../../support/until.js';

/** A right value of every option of the module that is a plain value. */
const VALUES: Record<string, [text: string, value: unknown]> = {
  defaultService: ['transcode', 'transcode'],
  callbackUrl: ['https://app.example.com/done', 'https://app.example.com/done'],
  deliverCallbacks: ['false', false],
  dispatchCallbacks: ['false', false],
  callbackSecret: [
    'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw, whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD',
    ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD'],
  ],
  callbackAllow: [
    'https://hooks.example.com, http://jobs.internal:8080 10.0.0.0/8',
    ['https://hooks.example.com', 'http://jobs.internal:8080 10.0.0.0/8'],
  ],
  callbackRetry: ['{"delays":[1,60],"jitter":0.5}', { delays: [1, 60], jitter: 0.5 }],
  callbackTimeout: ['5', 5],
  callbackRetention: ['7', 7],
  workerTokens: ['first-worker-token, second-worker-token,', ['first-worker-token', 'second-worker-token']],
  strictFields: ['true', true],
  bodyLimit: ['2048', 2048],
  timeZone: ['+08:00', '+08:00'],
  migrate: ['false', false],
  initialStatus: ['10', 10],
  lease: ['60', 60],
  legacyLease: ['600', 600],
  requireLease: ['true', true],
  maxAttempts: ['5', 5],
  backoff: ['{"base":1,"jitter":0}', { base: 1, jitter: 0 }],
  services: [
    '{"transcode":{"lease":3600,"backoff":{"max":60},"maxRunning":2,"rate":{"max":10,"per":60}}}',
    { transcode: { lease: 3600, backoff: { max: 60 }, maxRunning: 2, rate: { max: 10, per: 60 } } },
  ],
  maxActiveTasks: ['100', 100],
  userPriority: ['{"min":-10,"max":10}', { min: -10, max: 10 }],
  idempotencyTtl: ['3600', 3600],
  maxWaiters: ['50', 50],
  retention: ['{"finished":30}', { finished: 30 }],
  maxStreams: ['50', 50],
  maxStreamsPerOwner: ['5', 5],
  operatorTokens: ['first-operator-token, second-operator-token', ['first-operator-token', 'second-operator-token']],
  operatorReadTokens: ['operator-token-that-reads', ['operator-token-that-reads']],
  dashboardUri: ['/dashboard', '/dashboard'],
  schedules: [
    '{"nightly":{"userId":"alice","cron":"@daily","task":{"input":"x"}}}',
    { nightly: { userId: 'alice', cron: '@daily', task: { input: 'x' } } },
  ],
  maxSchedules: ['10', 10],
  minInterval: ['300', 300],
  maxBatchTasks: ['500', 500],
  batchRetention: ['7', 7],
  metrics: ['true', true],
  metricsRetention: ['86400', 86_400],
};

describe('TASK_<OPTION>', () => {
  it('is there for every plain value of the module', () => {
    expect(Object.keys(VALUES).sort()).toEqual(valueNames().sort());
  });

  it.each(Object.entries(VALUES))('sets %s', (option, [text, value]) => {
    expect(readConfig({ [variableOf(option)]: text }).task).toEqual({ [option]: value });
  });

  it.each(Object.keys(VALUES))('leaves the default of %s where it is empty', (option) => {
    expect(readConfig({ [variableOf(option)]: '' }).task).toEqual({});
  });
});

describe('without any setting', () => {
  it('the server listens on this machine alone, keeps a SQLite file, and lets no other origin in', () => {
    expect(readConfig({})).toMatchObject({
      host: '127.0.0.1',
      port: 3000,
      databaseUrl: 'sqlite:data/task.sqlite',
      database: { type: 'better-sqlite3', database: './data/task.sqlite' },
      dataFolder: './data',
      jwtSecret: undefined,
      corsOrigins: [],
      task: {},
    });
  });

  it.each([
    ['mysql://u:p@db/x', 'mysql'],
    ['mariadb://u:p@db/x', 'mariadb'],
    ['postgres://u:p@db/x', 'postgres'],
    ['postgresql://u:p@db/x', 'postgres'],
    ['sqlite:/var/lib/x.sqlite', 'better-sqlite3'],
  ])('but DATABASE_URL=%s', (url, type) => {
    expect(readConfig({ DATABASE_URL: url }).database.type).toBe(type);
  });
});

describe('a server with a .env', () => {
  const SECRET = 'a-secret-of-at-least-32-bytes-in-length';
  const [FIRST, SECOND] = ['first-worker-token', 'second-worker-token'];
  const folder = newFolder();
  let server: RunningServer;

  beforeAll(async () => {
    const lines = {
      PORT: '1',
      HOST: '0.0.0.0',
      DATABASE_URL: 'sqlite:elsewhere/queue.sqlite',
      TASK_JWT_SECRET: SECRET,
      TASK_WORKER_TOKENS: `${FIRST}, ${SECOND}`,
      TASK_CALLBACK_URL: 'https://app.example.com/done',
      TASK_DEFAULT_SERVICE: 'from-the-file',
      TASK_BODY_LIMIT: '2048',
    };
    writeFileSync(
      join(folder, '.env'),
      Object.entries(lines)
        .map(([name, value]) => `${name}=${value}\n`)
        .join(''),
    );
    server = await startServer({ TASK_DEFAULT_SERVICE: 'from-the-shell' }, folder);
  });
  afterAll(() => server?.stop());

  const user = async (method: string, path: string, options: CallOptions = {}): Promise<Answer> =>
    call(method, server.url + path, {
      ...options,
      headers: { authorization: `Bearer ${await userToken(SECRET, 'alice')}` },
    });
  const worker = (token: string): Promise<Answer> =>
    call('GET', `${server.url}/api/crontask`, { headers: { authorization: `Bearer ${token}` } });

  it('does what it says, and what the shell says first', async () => {
    const { port } = new URL(server.url);
    expect((await call('GET', `http://127.0.0.1:${port}/health/live`)).status).toBe(200);
    expect(existsSync(join(folder, 'elsewhere/queue.sqlite'))).toBe(true);
    const created = await user('POST', '/api/tasks', { json: { input: 'x', status: 10 } });
    expect(created.body.data.service).toBe('from-the-shell');
    const claimed = await worker(SECOND);
    expect(claimed.body.data).toMatchObject({
      updateUrl: 'https://app.example.com/done',
      task: { taskId: created.body.data.taskId, callbackUrl: 'https://app.example.com/done' },
    });
    expect((await worker(FIRST)).body).toEqual({ status: 1, data: [] });
    expect((await worker('third-worker-token')).status).toBe(430);
  });

  it('holds bodies to its limit', async () => {
    expect((await user('POST', '/api/tasks', { json: { input: 'x'.repeat(2000) } })).status).toBe(200);
    expect((await user('POST', '/api/tasks', { json: { input: 'x'.repeat(2100) } })).status).toBe(413);
  });

  it('keeps no secrets and prints none, as both were given', async () => {
    await until('the lines to paste', () => server.output().includes('-F output=done'));
    for (const secret of [SECRET, FIRST, SECOND, 'eyJ']) expect(server.output()).not.toContain(secret);
    expect(existsSync(join(folder, 'elsewhere/secrets.json'))).toBe(false);
    expect(existsSync(join(folder, 'data'))).toBe(false);
  });
});

describe('a user token', () => {
  it('lasts as long as asked', async () => {
    const secret = 'a-secret-of-at-least-32-bytes-in-length';
    const { payload } = await jwtVerify(await userToken(secret, 'alice'), new TextEncoder().encode(secret));
    expect(payload.exp! - payload.iat!).toBe(30 * 24 * 3600);
  });
});
