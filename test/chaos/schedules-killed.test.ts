import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { userToken } from '../../src/server/secrets.js';
import { dataOf } from '../support/answers.js';
import { createDatabase, ENGINES, type TestDatabase } from '../support/databases.js';
import { WHOLE } from '../support/host.js';
import { until } from '../support/until.js';
import { Cluster, SECRET } from './fixtures/cluster.js';

/** Schedules that are due each second, and seconds for which they are: a minute with TEST_MATRIX=all. */
const SCHEDULES = Number(process.env.TEST_CHAOS_SCHEDULES ?? 50);
const SECONDS = Number(process.env.TEST_CHAOS_SCHEDULE_SECONDS ?? (WHOLE ? 60 : 8));
/** Seconds between two kills. */
const KILL = 2;

describe.each(ENGINES)('servers killed with kill -9 while schedules are due, on %s', (engine) => {
  let database: TestDatabase;
  let cluster: Cluster;
  let dataSource: DataSource;
  let user: string;
  beforeAll(async () => {
    database = await createDatabase(engine);
    // Each start sets the same schedules of the option anew.
    const own = Object.fromEntries(
      Array.from({ length: 5 }, (_, n) => [
        `own-${n}`,
        { userId: 'code', every: 1, overlap: 'allow', catchUp: 'all', task: { input: 'x' } },
      ]),
    );
    const environment = { TASK_SCHEDULES: JSON.stringify(own), TASK_MIN_INTERVAL: '1', TASK_MAX_SCHEDULES: '1000' };
    const servers = Array.from({ length: engine === 'sqlite' ? 1 : 3 }, () => environment);
    cluster = await Cluster.start(database.url, servers);
    dataSource = await new DataSource({ ...database.options(), migrationsTableName: 'test' }).initialize();
    user = await userToken(SECRET, 'alice');
  });
  afterAll(async () => {
    await cluster?.stop();
    await dataSource?.destroy();
    await database?.drop();
  });

  /** Milliseconds between the times of each schedule of the option. */
  async function gapsOfOwn(): Promise<number[]> {
    const own: { schedule_key: string; scheduled_for: string | Date }[] = await dataSource.query(
      "SELECT schedule_key, scheduled_for FROM tasks WHERE user_id = 'code' ORDER BY schedule_key, scheduled_for",
    );
    return own.flatMap(({ schedule_key: key, scheduled_for: time }, place) => {
      const before = own[place - 1];
      return before?.schedule_key === key ? [new Date(time).getTime() - new Date(before.scheduled_for).getTime()] : [];
    });
  }

  it(
    'each has the task of each of its seconds once',
    async () => {
      const startAt = new Date(Math.ceil(Date.now() / 1000) * 1000 + 2000);
      const endAt = new Date(startAt.getTime() + (SECONDS - 1) * 1000);
      const settings = { every: 1, overlap: 'allow', catchUp: 'all', catchUpWindow: 3600, startAt, endAt };
      // A slow machine sets the last ones after the first second: their answers say with which time they begin.
      const times: number[] = [];
      for (let n = 0; n < SCHEDULES; n++) {
        const json = { ...settings, task: { input: `${n}` } };
        const { next } = dataOf(await cluster.request('PUT', `/api/schedules/s-${n}`, user, { json }));
        times.push(next.length === 0 ? 0 : (endAt.getTime() - new Date(next[0]).getTime()) / 1000 + 1);
      }
      const wanted = times.reduce((sum, count) => sum + count, 0);
      expect(wanted).toBeGreaterThan(SCHEDULES);
      await cluster.killEach(KILL, () => Date.now() >= endAt.getTime());
      const ended = () =>
        dataSource.query("SELECT COUNT(*) AS n FROM tasks_schedules WHERE user_id = 'alice' AND due_at IS NULL");
      await until('all are over', async () => Number((await ended())[0].n) === SCHEDULES, 60_000);
      const rows: { schedule_key: string; scheduled_for: string | Date; n: unknown }[] = await dataSource.query(
        `SELECT schedule_key, scheduled_for, COUNT(*) AS n FROM tasks WHERE user_id = 'alice'
          GROUP BY schedule_key, scheduled_for`,
      );
      const twice = rows.filter(({ n }) => Number(n) !== 1);
      process.stdout.write(
        `  schedules on ${engine}: ${SCHEDULES} each second for ${SECONDS} s, ${cluster.killed} kills: ${rows.length} tasks of ${wanted}, ` +
          `${twice.length} times with more than one\n`,
      );
      expect(twice).toEqual([]);
      expect(rows).toHaveLength(wanted);
      expect(new Set(rows.map(({ scheduled_for: time }) => String(new Date(time).getTime()))).size).toBe(times[0]);
      // Those of the option were set again at each start: their times went on, each once, with none left out.
      // The last kill may have left them behind: the server that came after it goes on with them.
      const gaps = await until('their times have come, too', async () => {
        const found = await gapsOfOwn();
        return found.length > 5 * (SECONDS - 1) ? found : undefined;
      });
      expect(gaps.filter((gap) => gap !== 1000)).toEqual([]);
    },
    (SECONDS + 120) * 1000,
  );
});
