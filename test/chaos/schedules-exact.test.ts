import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { userToken } from '../../src/server/secrets.js';
import { built } from '../support/build.js';
import { dataOf } from '../support/answers.js';
import { createDatabase, describeOn, ENGINES, type TestDatabase } from '../support/databases.js';
import { call } from '../support/http.js';
import { newFolder, type RunningServer, startServer } from '../support/server.js';
import { until } from '../support/until.js';
import { SECRET } from './fixtures/cluster.js';

const FIXTURE = pathToFileURL(resolve(import.meta.dirname, 'fixtures/dies.mjs')).href;
const EVERY_SECOND = { every: 1, overlap: 'allow', catchUp: 'all', task: { input: 'x' } };
const SERVERS = 10;
const SECONDS = 4;

/** A database, and the servers on it. */
class Place {
  private readonly servers: RunningServer[] = [];
  private constructor(
    readonly database: TestDatabase,
    private readonly dataSource: DataSource,
  ) {}

  static async open(engine: TestDatabase['engine']): Promise<Place> {
    const database = await createDatabase(engine);
    return new Place(database, await new DataSource(database.options()).initialize());
  }

  async start(own: Record<string, string>): Promise<RunningServer> {
    const common = { DATABASE_URL: this.database.url, TASK_JWT_SECRET: SECRET, TASK_MIN_INTERVAL: '1' };
    const server = await startServer({ ...common, ...own });
    this.servers.push(server);
    return server;
  }

  query(text: string): Promise<any[]> {
    return this.dataSource.query(text);
  }

  /** The times of all tasks of schedules, oldest first. */
  async times(): Promise<{ key: string; time: number }[]> {
    const rows = await this.query(
      'SELECT schedule_key, scheduled_for FROM tasks WHERE schedule_key IS NOT NULL ORDER BY schedule_key, scheduled_for',
    );
    // SQLite keeps texts, in UTC.
    const timeOf = (value: string | Date): number =>
      typeof value === 'string' ? Date.parse(`${value.replace(' ', 'T')}Z`) : value.getTime();
    return rows.map(({ schedule_key: key, scheduled_for: time }) => ({ key, time: timeOf(time) }));
  }

  async close(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.stop()));
    await this.dataSource.destroy();
    await this.database.drop();
  }
}

// SQLite serves one process.
describeOn('mysql', 'postgres')(`${SERVERS} servers that start at once with the same schedules, on %s`, (engine) => {
  let place: Place;
  beforeAll(async () => {
    place = await Place.open(engine);
  });
  afterAll(() => place?.close());

  it('make each once, without an error, and create the task of each time once', async () => {
    const keys = ['a', 'b', 'c'];
    const own = Object.fromEntries(keys.map((key) => [key, { userId: 'code', ...EVERY_SECOND }]));
    const settings = { TASK_SCHEDULES: JSON.stringify(own) };
    const servers = await Promise.all(Array.from({ length: SERVERS }, () => place.start(settings)));
    const rows = await place.query('SELECT schedule_key FROM tasks_schedules ORDER BY schedule_key');
    expect(rows.map((row) => row.schedule_key)).toEqual(keys);
    await until('some times', async () => (await place.times()).length > keys.length * SECONDS);
    const times = await place.times();
    for (const key of keys) {
      const own_ = times.filter((row) => row.key === key).map(({ time }) => time);
      expect(own_).toEqual(Array.from(own_, (_, n) => own_[0]! + n * 1000));
    }
    for (const server of servers) expect(server.output()).not.toMatch(/error|warn/i);
  });
});

describe.each(ENGINES)('a server that is killed while it creates the task of a schedule, on %s', (engine) => {
  let place: Place;
  beforeAll(async () => {
    place = await Place.open(engine);
  });
  afterAll(() => place?.close());

  it.each(['before', 'after'])('leaves no time out, and none twice (%s it moves the schedule on)', async (when) => {
    const mark = join(newFolder(), 'mark');
    const dies = { dist: built('.'), at: 'UPDATE \\S*tasks_schedules\\S* SET next_for', when, mark };
    const environment = { NODE_OPTIONS: `--import ${FIXTURE}`, DIES: JSON.stringify(dies), TASK_SCHEDULES: 'true' };
    const first = await place.start(environment);
    const startAt = new Date(Math.ceil(Date.now() / 1000) * 1000 + 2000);
    const endAt = new Date(startAt.getTime() + (SECONDS - 1) * 1000);
    const token = await userToken(SECRET, 'alice');
    const put = await call('PUT', `${first.url}/api/schedules/${when}`, {
      json: { ...EVERY_SECOND, startAt, endAt },
      headers: { authorization: `Bearer ${token}` },
    });
    dataOf(put);
    await until('its death', () => existsSync(mark) && first.process.signalCode !== null);
    expect(first.process.signalCode).toBe('SIGKILL');
    // The task was inserted, and the schedule was not yet moved on, or both were committed.
    const sent = JSON.parse(readFileSync(mark, 'utf8')) as string[];
    const inserts = sent.findIndex((text) => /INSERT INTO \S*tasks\W/.test(text));
    const moves = sent.findIndex((text) => /UPDATE \S*tasks_schedules/.test(text));
    expect(inserts).toBeGreaterThanOrEqual(0);
    expect(moves > inserts).toBe(when === 'after');
    const ours = async () => (await place.times()).filter(({ key }) => key === when).map(({ time }) => time);
    expect(await ours()).toEqual(when === 'before' ? [] : [startAt.getTime()]);

    const second = await place.start(environment);
    await until('its end', async () => {
      const [row] = await place.query(`SELECT due_at FROM tasks_schedules WHERE schedule_key = '${when}'`);
      return row.due_at === null;
    });
    expect(await ours()).toEqual(Array.from({ length: SECONDS }, (_, n) => startAt.getTime() + n * 1000));
    await second.stop();
  });
});
