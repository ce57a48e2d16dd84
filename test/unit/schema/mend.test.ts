import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ApiProperty } from '@nestjs/swagger';
import { Column, type DataSource, Entity } from 'typeorm';
import { runTaskMigrations, Task } from '../../../src/index.js';
import { until } from '../../support/until.js';
import { createDatabase, describeOn, ENGINES, type TestDatabase } from '../../support/databases.js';
import { createOriginal, ROWS } from './fixtures/original.js';
import { claimAll, connect, openQueue, problemsOf, withQueue } from './fixtures/queue.js';

@Entity('tasks', { synchronize: false })
class TitledTask extends Task {
  @ApiProperty()
  @Column({ type: 'varchar', length: 100, default: '' })
  title!: string;
}

describe.each(ENGINES)('a start on %s', (engine) => {
  let database: TestDatabase;
  let dataSource: DataSource;
  beforeEach(async () => {
    database = await createDatabase(engine);
    dataSource = await connect(database, { entities: [Task, TitledTask] });
  });
  afterEach(async () => {
    await dataSource.destroy();
    await database.drop();
  });

  it('mends what was lost since the migrations ran, and loses no ready task', async () => {
    await runTaskMigrations(dataSource);
    await dataSource.query(engine === 'mysql' ? 'DROP TRIGGER tasks_ready_insert' : 'DROP INDEX tasks_ready');
    await dataSource.query(
      "INSERT INTO tasks (id, user_id, service, status, input) VALUES ('a', 'u', 's', 10, 'meanwhile')",
    );
    expect(await problemsOf(dataSource)).not.toEqual([]);
    await withQueue(dataSource, { migrate: true }, async (queue) => {
      expect(queue.migrated.join()).toContain(
        `${engine === 'mysql' ? 'trigger tasks_ready_insert' : 'index tasks_ready'} is missing`,
      );
      expect(await claimAll(queue)).toEqual(['meanwhile']);
    });
    expect(await problemsOf(dataSource)).toEqual([]);
  });

  it('gives each task one place if the type of its times was changed', async () => {
    await runTaskMigrations(dataSource);
    await dataSource.query(
      "INSERT INTO tasks (id, user_id, service, status, created_at) VALUES ('a', 'u', 's', 10, '2026-01-01 00:00:00.75')",
    );
    // SQLite's columns have no type.
    if (engine === 'mysql')
      await dataSource.query('ALTER TABLE tasks MODIFY created_at timestamp NULL DEFAULT CURRENT_TIMESTAMP');
    if (engine === 'postgres') await dataSource.query('ALTER TABLE tasks ALTER created_at TYPE timestamptz(0)');
    await withQueue(dataSource, { migrate: true }, async ({ service }) => {
      expect(await service.claim({ limit: 5 })).toHaveLength(1);
    });
    expect(await problemsOf(dataSource)).toEqual([]);
  });

  it('mends what says when rows are due, and sweeps what became due meanwhile', async () => {
    await runTaskMigrations(dataSource);
    if (engine === 'mysql')
      for (const name of ['insert', 'update']) await dataSource.query(`DROP TRIGGER tasks_due_${name}`);
    else await dataSource.query('DROP INDEX tasks_due');
    await dataSource.query(
      "INSERT INTO tasks (id, user_id, service, status, run_at, input) VALUES ('a', 'u', 's', 5, '2026-01-01 00:00:00', 'due')",
    );
    await withQueue(dataSource, { migrate: true }, async (queue) => {
      queue.start();
      await until('the task is ready', async () => (await queue.service.get('a')).status === 10);
    });
  });

  it("beside Laravel's own table `migrations` says what to do, changes nothing, and works when it is done", async () => {
    await createOriginal(dataSource, engine);
    await dataSource.query('CREATE TABLE migrations (id integer, migration varchar(255), batch integer)');
    await expect(openQueue(dataSource, { migrate: true })).rejects.toThrow(
      /table migrations belongs to another tool.* `migrationsTableName`/,
    );
    expect((await dataSource.query<unknown[]>('SELECT * FROM tasks')).length).toBe(ROWS.length);
    const other = await connect(database, { migrationsTableName: 'task_migrations' });
    try {
      await withQueue(other, { migrate: true }, async (queue) => {
        expect(await claimAll(queue)).toContain('oldest');
      });
    } finally {
      await other.destroy();
    }
  });

  it("names a column of the host's own that the table has not", async () => {
    await expect(openQueue(dataSource, { entity: TitledTask, migrate: true })).rejects.toThrow(
      /entity: TitledTask has column title, which table tasks does not have; add it with a migration of your own/,
    );
    await dataSource.query("ALTER TABLE tasks ADD COLUMN title varchar(100) NOT NULL DEFAULT ''");
    await (await openQueue(dataSource, { entity: TitledTask })).close();
  });
});

describeOn('mysql')('an old table on %s', (engine) => {
  it.each(['ENGINE=InnoDB ROW_FORMAT=COMPACT', 'ENGINE=MyISAM'])(
    'of %s is adopted, with rows that lock',
    async (form) => {
      const database = await createDatabase(engine);
      const dataSource = await connect(database);
      try {
        await createOriginal(dataSource, engine);
        await dataSource.query(`ALTER TABLE tasks ${form}`);
        await runTaskMigrations(dataSource);
        expect(await problemsOf(dataSource)).toEqual([]);
        await withQueue(dataSource, {}, async (queue) => expect((await claimAll(queue))[0]).toBe('oldest'));
      } finally {
        await dataSource.destroy();
        await database.drop();
      }
    },
  );
});

describeOn('mysql', 'postgres')('several queues on a small pool on %s', (engine) => {
  it('start side by side', async () => {
    const database = await createDatabase(engine);
    class First extends Task {}
    class Second extends Task {}
    class Third extends Task {}
    const entities = [First, Second, Third];
    entities.forEach((entity) => Entity(entity.name.toLowerCase(), { synchronize: false })(entity));
    const dataSource = await connect(database, { entities, poolSize: 2 });
    try {
      const queues = await Promise.all(entities.map((entity) => openQueue(dataSource, { entity })));
      for (const queue of queues) await queue.close();
    } finally {
      await dataSource.destroy();
      await database.drop();
    }
  });
});
