import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { runTaskMigrations, TASK_STATUS } from '../../../src/index.js';
import { createDatabase, describeOn, type TestDatabase } from '../../support/databases.js';
import { connect, withQueue } from '../schema/fixtures/queue.js';
import { createOriginal } from '../schema/fixtures/original.js';

const { BEGIN, START } = TASK_STATUS;
const MANY = 20;

describeOn('mysql')('tasks that start together, on %s', (engine) => {
  let database: TestDatabase;
  let dataSource: DataSource;
  beforeEach(async () => {
    database = await createDatabase(engine);
    // Of two sessions, each has one of the claims that follow.
    dataSource = await connect(database, { poolSize: 2 });
  });
  afterEach(async () => {
    await dataSource.destroy();
    await database.drop();
  });

  const count = async (table: string): Promise<number> => {
    const [row] = await dataSource.query<{ n: unknown }[]>(`SELECT COUNT(*) AS n FROM ${table}`);
    return Number(row!.n);
  };

  /** Every third one has no creation time. */
  async function insert(): Promise<void> {
    const rows = Array.from({ length: MANY }, (_, n) => {
      const created = n % 3 === 0 ? 'NULL' : `'2026-01-0${1 + (n % 9)} 12:00:00.123456'`;
      return `('many-${n}', 'alice', 'default', ${BEGIN}, ${n % 2}, ${created}, 'in')`;
    });
    await dataSource.query(
      `INSERT INTO tasks (id, user_id, service, status, priority, created_at, input) VALUES ${rows.join(', ')}`,
    );
    expect(await count('tasks_ready')).toBe(MANY);
  }

  describe.each(['datetime(3)', 'datetime(6)', 'timestamp'])('with times as %s', (type) => {
    beforeEach(async () => {
      await createOriginal(dataSource, engine, { rows: [] });
      await dataSource.query(`ALTER TABLE tasks MODIFY created_at ${type} NULL, MODIFY updated_at ${type} NULL`);
      await runTaskMigrations(dataSource);
    });

    it('leave no ready row behind', async () => {
      await insert();
      await withQueue(dataSource, {}, async ({ service }) => {
        expect((await service.claim({ limit: MANY })).map(({ status }) => status)).toEqual(Array(MANY).fill(START));
      });
      expect(await count('tasks_ready')).toBe(0);
    });

    it('stay ready if one of them cannot start, and later ones start one by one', async () => {
      await insert();
      await dataSource.query(`CREATE TRIGGER host_refuses BEFORE UPDATE ON tasks FOR EACH ROW FOLLOWS tasks_due_update
        IF NEW.id = 'many-5' THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'not this one'; END IF`);
      await withQueue(dataSource, {}, async ({ service }) => {
        await expect(service.claim({ limit: MANY })).rejects.toThrow();
        expect(await count('tasks_ready')).toBe(MANY);
        await dataSource.query('DROP TRIGGER host_refuses');
        for (const left of [MANY - 3, MANY - 6]) {
          expect(await service.claim({ limit: 3 })).toHaveLength(3);
          expect(await count('tasks_ready')).toBe(left);
        }
        expect(await service.claim({ limit: MANY })).toHaveLength(MANY - 6);
        expect(await count('tasks_ready')).toBe(0);
      });
    });
  });

  it('start once, also those that have two places because a time lost its digits', async () => {
    await runTaskMigrations(dataSource);
    await insert();
    await withQueue(dataSource, {}, async ({ service }) => {
      await dataSource.query('ALTER TABLE tasks MODIFY created_at datetime NULL');
      for (const taskId of ['many-1', 'many-2']) await service.update(taskId, { priority: 5 });
      expect(await count('tasks_ready')).toBe(MANY + 2);
      const claimed = (await service.claim({ limit: 2 * MANY })).map(({ taskId }) => taskId);
      expect([claimed.length, new Set(claimed).size]).toEqual([MANY, MANY]);
    });
  });

  it('stay ready if a trigger of the host turns their start back', async () => {
    await runTaskMigrations(dataSource);
    await insert();
    await dataSource.query(`CREATE TRIGGER host_turns_back BEFORE UPDATE ON tasks FOR EACH ROW FOLLOWS tasks_due_update
      IF NEW.id = 'many-5' AND NEW.status = ${START} THEN SET NEW.status = OLD.status; END IF`);
    await withQueue(dataSource, {}, async ({ service }) => {
      await service.claim({ limit: MANY });
      expect(await dataSource.query('SELECT task_id FROM tasks_ready')).toEqual([{ task_id: 'many-5' }]);
    });
  });

  it('leave no ready row of another queue whose tasks a trigger of the host starts with them', async () => {
    await runTaskMigrations(dataSource);
    await runTaskMigrations(dataSource, { table: 'others' });
    await insert();
    await dataSource.query(
      'INSERT INTO others (id, user_id, service, status) SELECT id, user_id, service, status FROM tasks',
    );
    await dataSource.query(`CREATE TRIGGER host_starts_others AFTER UPDATE ON tasks FOR EACH ROW
      UPDATE others SET status = NEW.status WHERE id = NEW.id`);
    await withQueue(dataSource, {}, async ({ service }) => {
      expect(await count('others_ready')).toBe(MANY);
      await service.claim({ limit: MANY });
      expect([await count('tasks_ready'), await count('others_ready')]).toEqual([0, 0]);
    });
  });
});
