import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { DataSource } from 'typeorm';
import type { Task } from '../../../src/index.js';
import { SettingsLook } from '../../../src/flow/settings-look.js';
import { createDatabase, describeOn, execute, type TestDatabase } from '../../support/databases.js';
import { type Host, startHost } from '../../support/host.js';
import { POINTS, Steps, untilWaiting } from './fixtures/steps.js';

const BURST = { max: 1, per: 86_400, burst: 2 };
const OPTIONS = {
  services: {
    gpu: { maxRunning: 2 },
    api: { rate: BURST },
    both: { maxRunning: 2, rate: BURST },
    slow: { rate: { ...BURST, burst: 10 } },
    owned: { maxRunningPerOwner: 2 },
    grouped: { maxRunningPerOwner: 2, fair: 'group' as const },
    single: { maxRunningPerOwner: 1 },
  },
};

/** Two processes, one of which stands still between two statements of a claim, while the other one goes on. */
describeOn('mysql', 'postgres')('claims of limited services, statement by statement, on %s', (engine) => {
  let database: TestDatabase;
  let host: Host;
  let other: Host;
  let third: Host;
  let steps: Steps;
  /** Their packets stay as they are. */
  let whole: Steps[];
  beforeAll(async () => {
    database = await createDatabase(engine);
    // MySQL's default. Claims must not depend on it.
    if (engine === 'postgres') {
      const name = new URL(database.url).pathname.slice(1);
      await execute(
        engine,
        database.url,
        `ALTER DATABASE ${name} SET default_transaction_isolation = 'repeatable read'`,
      );
    }
    host = await startHost({ engine, adapter: 'express', database, options: OPTIONS });
    other = await startHost({ engine, adapter: 'fastify', database, options: OPTIONS });
    third = await startHost({ engine, adapter: 'express', database, options: OPTIONS });
    steps = new Steps(host, true);
    whole = [other, third].map((each) => new Steps(each, false));
    // Looks would write rows between the steps.
    jest.spyOn(SettingsLook.prototype, 'run').mockResolvedValue(false);
  });
  afterAll(async () => {
    jest.restoreAllMocks();
    await Promise.all([host, other, third].map((each) => each?.app.close()));
    await database?.drop();
  });
  const reset = async (): Promise<void> => {
    await query('DELETE FROM tasks');
    await query('UPDATE tasks_services SET credit = NULL, credit_at = NULL');
    for (const { tasks } of [host, other, third]) (tasks as any).queue.gates.limits.refills.clear();
  };
  beforeEach(reset);
  afterEach(() => {
    // A claim is never the victim of a deadlock, so it never begins anew.
    expect([steps, ...whole].flatMap(({ failures }) => failures.splice(0))).toEqual([]);
  });

  const query = (text: string): Promise<any> => host.app.get(DataSource).query(text);
  const create = async (service: string, count: number, userId = 'u'): Promise<void> => {
    const task = { userId, input: 'x', service, status: 10 };
    await host.tasks.createMany(Array.from({ length: count }, () => task));
  };
  const claim = (from: Host, options: object): Promise<Task[]> => from.tasks.claim({ limit: 5, ...options });
  const started = async (service: string): Promise<number> =>
    Number((await query(`SELECT COUNT(*) AS n FROM tasks WHERE service = '${service}' AND status = 20`))[0].n);

  const AFTER_LOCK = ['count', 'clock', 'scan', 'update', 'commit'] as const;
  const points = ['gpu', 'api', 'both', 'owned', 'grouped'].flatMap((service) =>
    AFTER_LOCK.map((point) => [service, point] as const),
  );
  // A rate alone counts nothing.
  it.each(points.filter(([service, point]) => service !== 'api' || point !== 'count'))(
    'of %s: one that is held before its %s holds up the other one, which then sees what it started',
    async (service, point) => {
      await create(service, 5);
      await claim(other, { service, limit: 1 });
      const held = steps.hold(POINTS[point]);
      const first = claim(host, { service });
      await held.reached;
      const second = claim(other, { service });
      await untilWaiting(host);
      held.release();
      expect([(await first).length, (await second).length]).toEqual([1, 0]);
      expect(await started(service)).toBe(2);
    },
  );

  it.each(['gpu', 'api', 'both', 'owned', 'grouped'])(
    'of %s: one that has a view of before its lock counts what is new',
    async (service) => {
      for (const options of [{ service, idempotencyKey: `the-key-of-${service}` }, { service }, {}]) {
        await reset();
        await create(service, 5);
        const held = steps.hold(POINTS.lock);
        // It reads its key, or the services with ready tasks, before it locks.
        const first = claim(host, options);
        await held.reached;
        expect(await claim(other, { service, limit: 1 })).toHaveLength(1);
        held.release();
        expect(await first).toHaveLength(1);
        expect(await started(service)).toBe(2);
      }
    },
  );

  it('of one owner hold up those of another one, which then start', async () => {
    for (const owner of ['u', 'v']) await create('single', 3, owner);
    const held = steps.hold(POINTS.commit);
    const first = claim(host, { service: 'single', limit: 1 });
    await held.reached;
    const second = claim(other, { service: 'single' });
    await untilWaiting(host);
    held.release();
    const owners = (await Promise.all([first, second])).map((tasks) => tasks.map(({ userId }) => userId));
    expect(owners.map(({ length }) => length)).toEqual([1, 1]);
    expect(owners.flat().toSorted()).toEqual(['u', 'v']);
  });

  it('that count before they lock start too many: what these tests are for', async () => {
    for (const service of ['gpu', 'owned', 'grouped']) {
      await create(service, 5);
      steps.isLockLate = true;
      const held = steps.hold(POINTS.lock);
      const first = claim(host, { service });
      await held.reached;
      steps.isLockLate = false;
      expect(await claim(other, { service, limit: 1 })).toHaveLength(1);
      held.release();
      expect(await first).toHaveLength(2);
      expect([service, await started(service)]).toEqual([service, 3]);
    }
  });

  it('start at the time after they have waited, so that no rate is filled twice', async () => {
    await create('slow', 5);
    const held = steps.hold(POINTS.commit);
    const first = claim(host, { service: 'slow', limit: 1 });
    await held.reached;
    const second = claim(other, { service: 'slow', limit: 1 });
    await untilWaiting(host);
    const clock = engine === 'mysql' ? 'UTC_TIMESTAMP(3)' : `date_trunc('milliseconds', clock_timestamp())`;
    // The clock moves on while it waits.
    await query(engine === 'mysql' ? 'SELECT SLEEP(0.05)' : 'SELECT pg_sleep(0.05)');
    const [{ now }] = await query(`SELECT ${clock} AS now`);
    held.release();
    const [, [late]] = await Promise.all([first, second]);
    expect(late!.startedAt!.getTime()).toBeGreaterThanOrEqual(new Date(now).getTime());
    const [row] = await query(
      `SELECT COUNT(*) AS n FROM tasks_services s JOIN tasks t ON t.started_at = s.credit_at WHERE t.id = '${late!.taskId}'`,
    );
    expect(Number(row.n)).toBe(1);
  });

  describe('whose row is missing', () => {
    beforeEach(async () => {
      await query('DELETE FROM tasks_services');
      await create('gpu', 5);
    });
    afterEach(async () => {
      await query('DELETE FROM tasks_services');
      await query(
        `INSERT INTO tasks_services (id) VALUES ${Object.keys(OPTIONS.services).map((name) => `('${name}')`)}`,
      );
    });

    it('one that has found none, and another one', async () => {
      const held = steps.hold(POINTS.insert);
      const first = claim(host, { service: 'gpu' });
      await held.reached;
      expect(await claim(other, { service: 'gpu' })).toHaveLength(2);
      held.release();
      expect(await first).toEqual([]);
    });

    it('one that has inserted it, and two others', async () => {
      const held = steps.hold(({ sent }) => sent.some((text) => POINTS.insert({ next: text })));
      const first = claim(host, { service: 'gpu' });
      await held.reached;
      const others = [other, third].map((from) => claim(from, { service: 'gpu' }));
      await untilWaiting(host, 2);
      held.release();
      expect(await first).toHaveLength(2);
      expect((await Promise.all(others)).flat()).toEqual([]);
    });
  });

  it('of two limited services in opposite order meet no deadlock', async () => {
    await create('gpu', 5);
    await create('both', 5);
    const held = steps.hold(POINTS.scan);
    const [gpu, both] = [{ service: 'gpu' }, { service: 'both' }];
    // Those that arrive together share a transaction.
    const first = [gpu, both].map((options) => claim(host, options));
    await held.reached;
    const second = [both, gpu].map((options) => claim(other, options));
    await untilWaiting(host, 2);
    held.release();
    expect((await Promise.all(first)).map((tasks) => tasks.length)).toEqual([2, 2]);
    expect((await Promise.all(second)).flat()).toEqual([]);
  });

  it('count right while an old snapshot is open', async () => {
    const runner = host.app.get(DataSource).createQueryRunner();
    await runner.startTransaction('REPEATABLE READ');
    try {
      await runner.query('SELECT COUNT(*) FROM tasks');
      await create('gpu', 40);
      for (let round = 0; round < 15; round++) {
        const from = round % 2 === 0 ? host : other;
        const tasks = await claim(from, { service: 'gpu' });
        expect(tasks).toHaveLength(2);
        expect(await claim(from, { service: 'gpu' })).toEqual([]);
        for (const { taskId, leaseToken } of tasks)
          await from.tasks.report(taskId, { leaseToken: leaseToken!, status: 30 });
      }
    } finally {
      await runner.rollbackTransaction();
      await runner.release();
    }
  });
});

describeOn('sqlite')('a claim of a limited service on %s', (engine) => {
  it('that waits for another writer of the file counts what that one has written', async () => {
    const host = await startHost({ engine, adapter: 'express', options: OPTIONS });
    const runner = host.app.get(DataSource).createQueryRunner();
    try {
      await host.tasks.createMany([1, 2, 3].map(() => ({ userId: 'u', input: 'x', service: 'gpu', status: 10 })));
      const [{ id }] = await runner.query('SELECT id FROM tasks LIMIT 1');
      await runner.query('BEGIN IMMEDIATE');
      const claim = host.tasks.claim({ service: 'gpu', limit: 5 });
      await runner.query(`UPDATE tasks SET status = 20, limited = 1 WHERE id = '${id}'`);
      await new Promise((resolve) => setTimeout(resolve, 50));
      await runner.query('COMMIT');
      expect(await claim).toHaveLength(1);
    } finally {
      await runner.release();
      await host.close();
    }
  });
});
