import { Agent, request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { userToken } from '../../src/server/secrets.js';
import { createDatabase, type Engine, ENGINES, type TestDatabase } from '../support/databases.js';
import { dataOf } from '../support/answers.js';
import { call } from '../support/http.js';
import { hasServer, PrivateDatabase } from '../support/private-servers.js';
import { Cluster, SECRET, WORKER } from './fixtures/cluster.js';

const POLLS = 200;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

interface Poll {
  /** What it was answered, and when. */
  answer: Promise<{ taskId: string | undefined; at: number }>;
  hangUp(): void;
}

/** Statements are counted, so nobody else may use the server. */
const hasOwn = (engine: Engine): boolean => engine === 'sqlite' || hasServer(engine);

describe.each(ENGINES.filter(hasOwn))('200 long polls on %s', (engine) => {
  let database: TestDatabase;
  let cluster: Cluster;
  let user: string;
  let sql: DataSource;
  const agent = new Agent({ maxSockets: 1000 });
  beforeAll(async () => {
    database = await (engine === 'sqlite' ? createDatabase(engine) : PrivateDatabase.create(engine));
    cluster = await Cluster.start(database.url, engine === 'sqlite' ? [{}] : [{}, {}]);
    user = await userToken(SECRET, 'alice');
    sql = await new DataSource({ ...database.options(), migrationsTableName: 'test' }).initialize();
  });
  afterAll(async () => {
    agent.destroy();
    await cluster?.stop();
    await sql?.destroy();
    await database?.drop();
  });

  const [poller, other] = [() => cluster.urls[0]!, () => cluster.urls.at(-1)!];

  function poll(wait: number, service = 'default'): Poll {
    const url = `${poller()}/api/crontask?wait=${wait}&service=${service}&lease=60`;
    const outgoing = request(url, { agent, headers: { authorization: `Bearer ${WORKER}` } });
    const answer = new Promise<{ taskId: string | undefined; at: number }>((resolve, reject) => {
      outgoing.on('error', reject);
      outgoing.on('response', (response) => {
        let text = '';
        response.on('data', (chunk) => (text += String(chunk)));
        response.on('end', () => resolve({ taskId: JSON.parse(text).data.task?.taskId, at: performance.now() }));
      });
      outgoing.end();
    });
    return { answer, hangUp: () => outgoing.destroy() };
  }
  const polls = async (wait: number, service?: string): Promise<Poll[]> => {
    const made = Array.from({ length: POLLS }, () => poll(wait, service));
    await pause(1500);
    return made;
  };
  const create = async (url: string): Promise<number> => {
    const headers = { authorization: `Bearer ${user}` };
    dataOf(await call('POST', `${url}/api/tasks`, { headers, json: { input: 'in', status: 10 } }));
    return performance.now();
  };

  it('exactly one gets each task that arrives, at once from the same process, within a second from elsewhere', async () => {
    const waiting = await polls(24);
    const late: Record<string, number[]> = { here: [], there: [], sql: [] };
    const found: string[] = [];
    const arrive = async (from: string, send: () => Promise<number>): Promise<void> => {
      const first = Promise.race(
        waiting
          .splice(0)
          .map((each, _, list) => (waiting.push(each), each.answer.then((answer) => ({ answer, each, list })))),
      );
      const sent = await send();
      const { answer, each } = await first;
      waiting.splice(waiting.indexOf(each), 1);
      expect(answer.taskId).toBeDefined();
      found.push(answer.taskId!);
      late[from]!.push(answer.at - sent);
      await pause(50);
    };
    for (let round = 0; round < 5; round++) await arrive('here', () => create(poller()));
    if (engine !== 'sqlite') for (let round = 0; round < 3; round++) await arrive('there', () => create(other()));
    await arrive('sql', async () => {
      await sql.query(
        "INSERT INTO tasks (id, user_id, service, status, input) VALUES ('by-sql', 'alice', 'default', 10, 'in')",
      );
      return performance.now();
    });
    const rest = await Promise.all(waiting.map((each) => each.answer));
    expect(rest.filter((answer) => answer.taskId !== undefined)).toEqual([]);
    expect(new Set(found).size).toBe(found.length);
    process.stdout.write(
      `  ${engine}: ms after the commit's answer ${JSON.stringify(late, (_, v: unknown) => (typeof v === 'number' ? Math.round(v) : v))}\n`,
    );
    // Some milliseconds, and within a second, on a machine that has nothing else to do.
    expect(median(late.here!)).toBeLessThan(500);
    for (const each of [...late.there!, ...late.sql!]) expect(each).toBeLessThan(10_000);
  });

  it('a poll that hung up gets no task', async () => {
    const gone = Array.from({ length: 20 }, () => poll(10));
    for (const each of gone) each.answer.catch(() => undefined);
    await pause(500);
    for (const each of gone) each.hangUp();
    await pause(300);
    const stays = poll(10);
    await pause(300);
    await create(poller());
    expect((await stays.answer).taskId).toBeDefined();
  });

  if (engine !== 'sqlite')
    it('cost the database one look a process now and then, not one each', async () => {
      const waiting = await polls(9, 'nothing-there');
      const before = await statements(sql, engine);
      await pause(5000);
      const asked = (await statements(sql, engine)) - before;
      process.stdout.write(`  ${engine}: ${asked} statements in 5 s while ${POLLS} wait on 2 processes\n`);
      // Two sweepers a second each, one probe: with what a transaction adds.
      expect(asked).toBeLessThan(100);
      await Promise.all(waiting.map((each) => each.answer));
    });
});

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;

/** Statements (MySQL) or transactions (PostgreSQL) that the server, or this database, has run so far. */
async function statements(sql: DataSource, engine: Engine): Promise<number> {
  if (engine === 'mysql') {
    const [row] = await sql.query<{ Value: string }[]>("SHOW GLOBAL STATUS LIKE 'Questions'");
    return Number(row!.Value);
  }
  // The statistics are a second behind.
  await pause(1100);
  const [row] = await sql.query<{ n: string }[]>(
    'SELECT xact_commit + xact_rollback AS n FROM pg_stat_database WHERE datname = current_database()',
  );
  return Number(row!.n);
}
