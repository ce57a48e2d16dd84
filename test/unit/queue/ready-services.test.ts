import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DataSource, Logger } from 'typeorm';
import { runTaskMigrations, TASK_STATUS } from '../../../src/index.js';
import type { TaskFilter } from '../../../src/queue/stores/ready.store.js';
import type { Row, Script } from '../../../src/database/transaction.js';
import type { TaskQueue } from '../../../src/task.bootstrap.js';
import { connect, openQueue } from '../schema/fixtures/queue.js';
import { borrowDatabase, giveBack } from '../../support/database-pool.js';
import { createDatabase, describeOn, ENGINES, type TestDatabase } from '../../support/databases.js';
import { costOf, storesOf } from './fixtures/cost.js';

const { BEGIN, START } = TASK_STATUS;

/** The most that a claim without a service reads, beyond what it takes: 200 services, and the head of each. */
const MOST_READ = 1000;
/** MySQL's skip scan is a chain of 200 statements in one packet. */
const MOST_STATEMENTS = 230;

interface Ready {
  service: string;
  priority: number;
  created: string;
}

const time = (n: number): string =>
  new Date(Date.UTC(2026, 0, 1) + n * 1000).toISOString().slice(0, 23).replace('T', ' ');

/** Ready tasks by plain SQL, as quick as can be. */
async function insert(dataSource: DataSource, prefix: string, rows: Ready[]): Promise<void> {
  for (let from = 0; from < rows.length; from += 1000) {
    const values = rows.slice(from, from + 1000).map(({ service, priority, created }, index) => {
      const id = `${prefix}-${String(from + index).padStart(5, '0')}`;
      return `('${id}', 'alice', '${service}', ${BEGIN}, ${priority}, '${created}')`;
    });
    await dataSource.query(
      `INSERT INTO tasks (id, user_id, service, status, priority, created_at) VALUES ${values.join(', ')}`,
    );
  }
}

/** Counts the statements of a data source. */
function counting() {
  const texts: string[] = [];
  const ignore = (): undefined => undefined;
  const logger: Logger = {
    logQuery: (text) => void texts.push(text),
    logQueryError: ignore,
    logQuerySlow: ignore,
    logSchemaBuild: ignore,
    logMigration: ignore,
    log: ignore,
  };
  return { logger, texts };
}

describe.each(ENGINES)('a claim without a service, however many services there are, on %s', (engine) => {
  let database: TestDatabase;
  let dataSource: DataSource;
  const { logger, texts } = counting();
  beforeAll(async () => {
    database = await createDatabase(engine);
    dataSource = await connect(database, { logger, logging: true });
    await runTaskMigrations(dataSource);
  });
  afterAll(async () => {
    await dataSource?.destroy();
    await database?.drop();
  });

  const reads = new Map<string, number>();
  let made = 0;
  it.each([501, 1000, 5000])('%i services: what it reads and asks is bounded', async (services) => {
    const missing = Array.from({ length: services - made }, (_, index) => index + made);
    await insert(
      dataSource,
      `s${services}`,
      missing.map((n) => ({ service: `service-${n}`, priority: 0, created: time(n) })),
    );
    made = services;
    if (engine !== 'sqlite') await dataSource.query(engine === 'mysql' ? 'ANALYZE TABLE tasks_ready' : 'ANALYZE tasks');
    const { ready } = storesOf(dataSource, engine);
    const find = function* (filter: TaskFilter, limit: number): Script<Row[]> {
      return (yield* ready.find(filter, limit)).rows;
    };
    for (const limit of [1, 10]) {
      const before = texts.length;
      const { result, read } = await costOf(dataSource, engine, () => find({}, limit));
      expect(result).toHaveLength(limit);
      expect(texts.length - before).toBeLessThan(MOST_STATEMENTS);
      const first = reads.get(`${limit}`) ?? read;
      reads.set(`${limit}`, first);
      expect(read).toBeLessThan(engine === 'sqlite' ? first * 1.3 : MOST_READ);
    }
    if (services === 501) {
      // Every service has its turn.
      const seen = new Set<string>();
      for (let turn = 0; turn < 3; turn++)
        for (const { service } of (await costOf(dataSource, engine, () => find({}, 200))).result)
          seen.add(service as string);
      expect(seen.size).toBe(services);
    }
    const before = texts.length;
    const { result, read } = await costOf(dataSource, engine, () => find({ group: 'none' }, 1));
    expect(result).toEqual([]);
    expect(texts.length - before).toBeLessThan(MOST_STATEMENTS);
    if (engine !== 'sqlite') expect(read).toBeLessThan(MOST_READ);
  });
});

describe.each(ENGINES)('a claim without a service, on %s', (engine) => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let queue: TaskQueue;
  const { logger, texts } = counting();
  beforeAll(async () => {
    database = await borrowDatabase(engine);
    dataSource = await connect(database, { logger, logging: true });
    queue = await openQueue(dataSource);
  });
  afterAll(async () => {
    await queue?.close();
    await dataSource?.destroy();
    await giveBack(database);
  });

  const create = (service: string, priority: number) =>
    queue.service.create({ userId: 'alice', input: `${service}${priority}`, service, priority, status: BEGIN });

  it('takes by priority, whatever the service', async () => {
    await create('a', 0);
    for (let count = 0; count < 5; count++) await create('a', 10);
    for (let count = 0; count < 3; count++) await create('b', 1);
    const inputs = async (limit: number) => (await queue.service.claim({ limit })).map(({ input }) => input);
    expect(await inputs(4)).toEqual(['a0', 'b1', 'b1', 'b1']);
    expect(await inputs(100)).toEqual(Array(5).fill('a10'));
  });

  it('takes in the exact order from 200 services, in pieces of any size', async () => {
    let seed = 7;
    const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
    // A few services have most of what comes first.
    const rows = Array.from({ length: 600 }, (_, index) => ({
      service: `s${index < 200 ? index : index % 2 === 0 ? random(200) : random(3)}`,
      priority: random(4),
      created: time(random(300)),
    }));
    await insert(dataSource, 'exact', rows);
    const expected = rows
      .map((row, index) => ({ ...row, id: `exact-${String(index).padStart(5, '0')}` }))
      .sort(
        (a, b) =>
          a.priority - b.priority || (a.created < b.created ? -1 : a.created > b.created ? 1 : a.id < b.id ? -1 : 1),
      )
      .map(({ id }) => id);
    const taken: string[] = [];
    for (let piece = 0; taken.length < expected.length; piece++) {
      const limit = [1, 100, 3, 40][piece % 4]!;
      taken.push(...(await queue.service.claim({ limit })).map(({ taskId }) => taskId));
    }
    expect(taken).toEqual(expected);
  });

  it('has a transaction of its own beside claims of services, where there can be two', async () => {
    await create('a', 0);
    await create('b', 0);
    const begun = (): number => texts.filter((text) => /^(BEGIN|START TRANSACTION)/.test(text)).length;
    const before = begun();
    const [any, named] = await Promise.all([queue.service.claim({}), queue.service.claim({ service: 'b' })]);
    expect(any.length + named.length).toBeGreaterThan(0);
    if (engine !== 'sqlite') expect(begun() - before).toBe(2);
  });
});

describeOn('mysql', 'postgres')('a claim without a service, on %s', (engine) => {
  it('goes on to the next service where others hold what comes first', async () => {
    const database = await borrowDatabase(engine);
    const dataSource = await connect(database);
    const queue = await openQueue(dataSource);
    try {
      const rows = ['a', 'b', 'c'].map((service, n) => ({ service, priority: 0, created: time(n) }));
      await insert(dataSource, 'held', rows);
      await dataSource.transaction(async (manager) => {
        // One by one: a small table is read, and locked, as a whole.
        for (const id of ['held-00000', 'held-00001'])
          await manager.query(`SELECT id FROM tasks WHERE id = '${id}' FOR UPDATE`);
        const [task, ...more] = await queue.service.claim({ limit: 1 });
        expect([task?.taskId, task?.status, more]).toEqual(['held-00002', START, []]);
      });
      expect((await queue.service.claim({ limit: 5 })).map(({ service }) => service)).toEqual(['a', 'b']);
    } finally {
      await queue.close();
      await dataSource.destroy();
      await giveBack(database);
    }
  });
});
