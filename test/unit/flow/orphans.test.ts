import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import type { Task } from '../../../src/index.js';
import { createDatabase, describeOn, type TestDatabase } from '../../support/databases.js';
import { type Host, startHost } from '../../support/host.js';
import { until } from '../../support/until.js';

/** A large limit: the entries are more than one statement removes. */
const services = { gpu: { maxRunning: 2 }, many: { maxRunning: 600 }, cascade: { maxRunning: 4 } };

/** TRUNCATE and cascades fire no triggers there. */
describeOn('mysql')('running tasks whose rows are gone on %s', (engine) => {
  let database: TestDatabase;
  let host: Host;
  beforeAll(async () => {
    database = await createDatabase(engine);
    host = await startHost({ engine, adapter: 'express', database, options: { services } });
  });
  afterAll(async () => {
    await host?.app.close();
    await database?.drop();
  });

  const query = (text: string): Promise<any> => host.app.get(DataSource).query(text);
  const create = (service: string, count: number, userId = 'alice'): Promise<Task[]> =>
    host.tasks.createMany(Array.from({ length: count }, () => ({ userId, input: 'x', service, status: 10 })));
  const claim = (options: object): Promise<Task[]> => host.tasks.claim({ limit: 100, ...options });

  const counted = async (service: string): Promise<number> =>
    (await query(`SELECT task_id FROM tasks_running WHERE service = '${service}'`)).length;

  it('hold up no service after TRUNCATE, also where claims wait', async () => {
    await create('many', 600);
    for (let n = 0; n < 6; n++) expect(await claim({ service: 'many' })).toHaveLength(100);
    await query('TRUNCATE tasks');
    await create('many', 1);
    expect(await claim({ service: 'many', wait: 30 })).toHaveLength(1);
    await until('all others are removed', async () => (await counted('many')) === 1);
  });

  it('hold up no claim of any service where rows were loaded again that run no more', async () => {
    await create('gpu', 2);
    const ran = await claim({ service: 'gpu' });
    expect(ran).toHaveLength(2);
    await query('TRUNCATE tasks');
    for (const { taskId } of ran)
      await query(
        `INSERT INTO tasks (id, user_id, service, input, status) VALUES ('${taskId}', 'alice', 'gpu', 'x', 30)`,
      );
    await create('gpu', 3);
    expect(await claim({ wait: 30 })).toHaveLength(2);
    expect(await claim({})).toEqual([]);
  });

  it('hold up no service after a foreign key took them along', async () => {
    await query('DELETE FROM tasks');
    const [{ collation }] = await query(
      `SELECT COLLATION_NAME AS collation FROM information_schema.COLUMNS
        WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'tasks' AND COLUMN_NAME = 'user_id'`,
    );
    const type = `varchar(255) CHARACTER SET utf8mb4 COLLATE ${collation}`;
    await query(`CREATE TABLE owners (id ${type} PRIMARY KEY)`);
    await query(`INSERT INTO owners VALUES ('alice'), ('bob')`);
    await query('ALTER TABLE tasks ADD FOREIGN KEY (user_id) REFERENCES owners (id) ON DELETE CASCADE');
    await create('cascade', 3, 'alice');
    await create('cascade', 3, 'bob');
    expect(await claim({ service: 'cascade' })).toHaveLength(4);
    await query(`DELETE FROM owners WHERE id = 'alice'`);
    const taken = await claim({ service: 'cascade', wait: 30 });
    expect(taken.map(({ userId }) => userId)).toEqual(['bob', 'bob']);
    await until('all others are removed', async () => (await counted('cascade')) === 3);
  });
});
