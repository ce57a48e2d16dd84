import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { runTaskMigrations } from '../../../src/index.js';
import { createDatabase, describeOn, type TestDatabase } from '../../support/databases.js';
import { createOriginal, insertLikePhp, ROWS } from './fixtures/original.js';
import { claimAll, connect, problemsOf, withQueue } from './fixtures/queue.js';

describeOn('mysql', 'postgres')('a table in use on %s', (engine) => {
  let database: TestDatabase;
  let dataSource: DataSource;
  const said: string[] = [];
  beforeEach(async () => {
    database = await createDatabase(engine);
    dataSource = await connect(database);
    said.length = 0;
    jest.spyOn(Logger.prototype, 'log').mockImplementation((line) => void said.push(String(line)));
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await dataSource.destroy();
    await database.drop();
  });

  it('is told of each step that it feels, with time and rows; a fresh one is made in silence', async () => {
    await createOriginal(dataSource, engine);
    await runTaskMigrations(dataSource);
    expect(said[0]).toMatch(/^tasks: column .*; column lease_token is missing.* \((copies|rewrites) the table/);
    expect(said[1]).toMatch(/^tasks: done in \d+\.\d s/);
    if (engine === 'mysql') {
      const filled = said.findIndex((line) => line.startsWith('tasks: tasks_ready is not filled (reads all rows'));
      expect(said[filled + 1]).toMatch(/^tasks: done in \d+\.\d s, 2 rows$/);
    }
    said.length = 0;
    expect(await runTaskMigrations(dataSource)).toEqual([]);
    await runTaskMigrations(dataSource, { table: 'fresh' });
    expect(said).toEqual([]);
  });

  it('with a foreign key on its owner says so in one line, once, and changes nothing', async () => {
    const type = engine === 'mysql' ? 'char(36)' : 'uuid';
    await createOriginal(dataSource, engine, { rows: [] });
    if (engine === 'postgres') await dataSource.query('ALTER TABLE tasks ALTER user_id TYPE uuid USING user_id::uuid');
    const form = engine === 'mysql' ? ' ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci' : '';
    await dataSource.query(`CREATE TABLE users (id ${type} PRIMARY KEY)${form}`);
    await dataSource.query(`INSERT INTO users VALUES ('${ROWS[0]!.user_id}')`);
    await dataSource.query(
      'ALTER TABLE tasks ADD CONSTRAINT tasks_user_id_foreign FOREIGN KEY (user_id) REFERENCES users (id)',
    );
    await insertLikePhp(dataSource, engine, ROWS[0]!);
    const printed = [jest.spyOn(console, 'log'), jest.spyOn(console, 'error')].map((spy) => spy.mockReturnValue());
    const { message } = await runTaskMigrations(dataSource).then(
      () => new Error('it ran'),
      (error: Error) => error,
    );
    expect(message).toMatch(
      /^The foreign key .tasks_user_id_foreign. \(tasks\.user_id -> users\.id\) blocks the migration: [^\n]*$/,
    );
    expect(printed.flatMap(({ mock }) => mock.calls)).toEqual([]);
    expect(said).toEqual([]);
    const [, remedy] = /Run (ALTER TABLE .*;) and start again/.exec(message) ?? [];
    await dataSource.query(remedy!);
    await withQueue(dataSource, {}, async (queue) => expect(await claimAll(queue)).toEqual(['oldest']));
    expect(await problemsOf(dataSource)).toEqual([]);
  });
});

describeOn('mysql')('rows by the thousand on %s', (engine) => {
  it('are gone over in pieces, each of them once, whatever their ids', async () => {
    const database = await createDatabase(engine);
    const dataSource = await connect(database);
    jest.spyOn(Logger.prototype, 'log').mockReturnValue();
    try {
      await createOriginal(dataSource, engine, { rows: [] });
      const digits = Array.from({ length: 10 }, (_, digit) => `SELECT ${digit} AS n`).join(' UNION ALL ');
      await dataSource.query(
        `INSERT INTO tasks (id, user_id, service, status, input)
        SELECT CONCAT('a''\\\\b', a.n, b.n, c.n, d.n, e.n), 'u', 'default', 10, 'in'
        FROM (${digits}) a, (${digits}) b, (${digits}) c, (${digits}) d, (SELECT 0 AS n UNION ALL SELECT 1) e`,
      );
      await runTaskMigrations(dataSource);
      const [row] = await dataSource.query<{ n: unknown }[]>(
        'SELECT COUNT(*) AS n FROM tasks JOIN tasks_ready ON task_id = id',
      );
      expect(Number(row!.n)).toBe(20_000);
    } finally {
      jest.restoreAllMocks();
      await dataSource.destroy();
      await database.drop();
    }
  });
});
