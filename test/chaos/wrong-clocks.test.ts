import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { userToken } from '../../src/server/secrets.js';
import { createDatabase, describeOn, ENGINES, itAtOnceOn, type TestDatabase } from '../support/databases.js';
import { dataOf } from '../support/answers.js';
import { startHost } from '../support/host.js';
import { call, type CallOptions } from '../support/http.js';
import { until } from '../support/until.js';
import { Cluster, SECRET, WORKER } from './fixtures/cluster.js';

const HOUR = 3_600_000;
const FIXTURE = pathToFileURL(resolve(import.meta.dirname, 'fixtures/wrong-clock.mjs')).href;
const wrongBy = (hours: number) => ({
  NODE_OPTIONS: `--import ${FIXTURE}`,
  CLOCK_OFFSET_MS: String(hours * HOUR),
});
const inSeconds = (seconds: number): string => new Date(Date.now() + seconds * 1000).toISOString();
const secondsUntil = (time: string): number => (Date.parse(time) - Date.now()) / 1000;

/** Holds a time to seconds after the request that set it, however long the request took. */
function expectAfter(time: string, seconds: number, sentAt: number): void {
  expect(Date.parse(time)).toBeGreaterThan(sentAt + (seconds - 0.5) * 1000);
  expect(Date.parse(time)).toBeLessThan(Date.now() + (seconds + 0.5) * 1000);
}

/** What users and workers say to one server of several. */
const callers = (urls: string[], user: string) => ({
  user: async (server: number, method: string, path: string, options: CallOptions = {}) =>
    dataOf(await call(method, urls[server]! + path, { ...options, headers: { authorization: `Bearer ${user}` } })),
  worker: async (server: number, method: string, path: string, options: CallOptions = {}) =>
    dataOf(await call(method, urls[server]! + path, { ...options, headers: { authorization: `Bearer ${WORKER}` } })),
});

describeOn('mysql', 'postgres')('servers whose clocks are hours apart, on one %s', (engine) => {
  let database: TestDatabase;
  let cluster: Cluster;
  let say: ReturnType<typeof callers>;
  const [FAST, SLOW] = [0, 1];
  beforeAll(async () => {
    database = await createDatabase(engine);
    const schedules = { TASK_SCHEDULES: 'true', TASK_MIN_INTERVAL: '1' };
    cluster = await Cluster.start(database.url, [
      { ...wrongBy(5), ...schedules },
      { ...wrongBy(-5), ...schedules },
    ]);
    say = callers(cluster.urls, await userToken(SECRET, 'alice', '1y'));
  });
  afterAll(async () => {
    await cluster?.stop();
    await database?.drop();
  });
  const create = (server: number, json: object) =>
    say.user(server, 'POST', '/api/tasks', { json: { input: 'in', ...json } });
  const statusOf = async (taskId: string): Promise<number> =>
    (await say.user(SLOW, 'GET', `/api/tasks/${taskId}`)).status;

  /** Holds a task to its status up to a time. An answer that comes later says nothing. */
  async function expectUntil(taskId: string, expected: number, time: string): Promise<void> {
    while (secondsUntil(time) > 0.2) {
      const status = await statusOf(taskId);
      if (secondsUntil(time) > 0.2) expect(status).toBe(expected);
      await new Promise((goOn) => setTimeout(goOn, 200));
    }
  }

  // At once: they wait more than they work.
  it.concurrent.each([
    ['fast', FAST],
    ['slow', SLOW],
  ])('a lease of the %s one holds as long as it says, and not much longer', async (_, server) => {
    const { taskId } = await create(server, { status: 10 });
    const sentAt = Date.now();
    const claimed = await say.worker(server, 'GET', '/api/crontask', { query: { taskId, lease: 3 } });
    expectAfter(claimed.leaseExpiresAt, 3, sentAt);
    await expectUntil(taskId, 20, claimed.leaseExpiresAt);
    await until('it lapses', async () => (await statusOf(taskId)) === 10);
    await say.user(server, 'DELETE', '/api/tasks', { query: { ids: JSON.stringify([taskId]) } });
  });

  it.concurrent.each([
    ['fast', FAST],
    ['slow', SLOW],
  ])('a task that the %s one takes for later is ready when it is time', async (_, server) => {
    const runAt = inSeconds(2.5);
    const { taskId, status } = await create(server, { runAt });
    expect(status).toBe(5);
    await expectUntil(taskId, 5, runAt);
    await until('it is ready', async () => (await statusOf(taskId)) === 10);
    await say.user(server, 'DELETE', '/api/tasks', { query: { ids: JSON.stringify([taskId]) } });
  });

  it.concurrent.each([
    ['fast', FAST],
    ['slow', SLOW],
  ])('a schedule that the %s one is told of creates the task of each time once, and in time', async (key, server) => {
    const startAt = inSeconds(5);
    const times = Array.from({ length: 4 }, (_, n) => new Date(Date.parse(startAt) + n * 1000).toISOString());
    // A time of more than a minute ago would be left out.
    const json = { every: 1, startAt, endAt: times.at(-1), overlap: 'allow', catchUp: 'none', task: { input: 'x' } };
    expect((await say.user(server, 'PUT', `/api/schedules/${key}`, { json })).next).toEqual(times);
    const shown = await until('its end', async () => {
      const schedule = await say.user(SLOW, 'GET', `/api/schedules/${key}`);
      return schedule.state === 'ended' ? schedule : undefined;
    });
    expect(shown.runs.map((run: { scheduledFor: string }) => run.scheduledFor)).toEqual(times.toReversed());
    const { list } = await say.user(FAST, 'GET', '/api/tasks', { query: { pageNum: 1000 } });
    const made = list.filter(({ scheduleKey }: { scheduleKey?: string }) => scheduleKey === key);
    expect(made.map((task: { scheduledFor: string }) => task.scheduledFor).sort()).toEqual(times);
    for (const { createdAt, scheduledFor } of made)
      expect(Date.parse(createdAt)).toBeGreaterThanOrEqual(Date.parse(scheduledFor));
    await say.user(FAST, 'DELETE', '/api/tasks', {
      query: { ids: JSON.stringify(made.map(({ taskId }: { taskId: string }) => taskId)) },
    });
  });

  it('both show the same next times of a cron expression, counted from now', async () => {
    const json = { cron: '*/5 * * * *', timeZone: 'Asia/Shanghai', task: { input: 'x' }, paused: true };
    for (const server of [FAST, SLOW]) {
      const path = `/api/schedules/cron-${server}`;
      await say.user(server, 'PUT', path, { json });
      const { next } = await say.user(server, 'POST', `${path}/resume`);
      expect(secondsUntil(next[0])).toBeGreaterThan(-5);
      expect(secondsUntil(next[0])).toBeLessThanOrEqual(300);
      await say.user(server, 'DELETE', path);
    }
  });

  it('claims and lists keep the order of creation', async () => {
    const ids: string[] = [];
    for (const server of [FAST, SLOW, FAST, SLOW, SLOW, FAST])
      ids.push((await create(server, { status: 10, service: 'order' })).taskId);
    const { list } = await say.user(FAST, 'GET', '/api/tasks', { query: { service: 'order' } });
    expect(list.map((task: { taskId: string }) => task.taskId)).toEqual(ids.toReversed());
    const taken: string[] = [];
    for (const server of [SLOW, FAST, SLOW, FAST, SLOW, FAST])
      taken.push((await say.worker(server, 'GET', '/api/crontask', { query: { service: 'order' } })).task.taskId);
    expect(taken).toEqual(ids);
  });
});

/** An hour that the clocks of Berlin show twice: half past two comes at 0:30 and at 1:30 UTC. */
const TWICE = [
  ['2027-10-31T02:30:00+02:00', '2027-10-31T00:30:00.000Z'],
  ['2027-10-31T02:30:00+01:00', '2027-10-31T01:30:00.000Z'],
  // And one that they never show.
  ['2027-03-28T02:30:00+01:00', '2027-03-28T01:30:00.000Z'],
] as const;

describe('a server in a zone with daylight saving', () => {
  itAtOnceOn(ENGINES)('on %s, keeps times to the millisecond, the hour that comes twice included', async (engine) => {
    const database = await createDatabase(engine);
    const cluster = await Cluster.start(database.url, [{ TZ: 'Europe/Berlin' }]);
    const say = callers(cluster.urls, await userToken(SECRET, 'alice'));
    for (const [runAt, utc] of TWICE) {
      const sentAt = Date.now();
      const created = await say.user(0, 'POST', '/api/tasks', { json: { input: 'in', runAt } });
      expectAfter(created.createdAt, 0, sentAt);
      expect(created).toMatchObject({ status: 5, runAt: utc });
      expect((await say.user(0, 'GET', `/api/tasks/${created.taskId}`)).runAt).toBe(utc);
    }
    await cluster.stop();
    await database.drop();
  });
});

describe.each(['Asia/Tokyo', 'America/New_York'])('database sessions in the zone %s', (zone) => {
  itAtOnceOn(['mysql', 'postgres'])('on %s: leases, due times and answers are UTC all the same', async (engine) => {
    const shift = zone === 'Asia/Tokyo' ? '+09:00' : '-05:00';
    const host = await startHost({
      engine,
      adapter: 'fastify',
      typeorm: engine === 'postgres' ? { extra: { options: `-c TimeZone=${zone}` } } : {},
    });
    try {
      if (engine === 'mysql') await setZone(host.app.get(DataSource), shift);
      const create = async (json: object) =>
        dataOf(await host.user('alice', 'POST', '/api/tasks', { json: { input: 'in', ...json } }));
      const later = await create({ runAt: inSeconds(2), service: 'later' });
      expect(later.status).toBe(5);
      const createdAfter = Date.now();
      const { taskId, createdAt } = await create({ status: 10 });
      expectAfter(createdAt, 0, createdAfter);
      const claimedAfter = Date.now();
      const claimed = dataOf(await host.worker('GET', '/api/crontask', { query: { taskId, lease: 2 } }));
      expectAfter(claimed.leaseExpiresAt, 2, claimedAfter);
      await until('it lapses', async () => (await host.tasks.get(taskId)).status === 10);
      await until('the other is due', async () => (await host.tasks.get(later.taskId)).status === 10);
    } finally {
      await host.close();
    }
  });
});

/** Every connection of the pool: all are taken at once, so that none is left out. */
async function setZone(dataSource: DataSource, shift: string): Promise<void> {
  const runners = Array.from({ length: 8 }, () => dataSource.createQueryRunner());
  await Promise.all(runners.map((runner) => runner.query(`SET time_zone = '${shift}'`)));
  await Promise.all(runners.map((runner) => runner.release()));
}
