import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { runTaskMigrations, TASK_STATUS } from '../../src/index.js';
import { tasksTable } from '../../src/schema/tables/tasks.table.js';
import { createDatabase, ENGINES, type TestDatabase } from '../support/databases.js';
import { migrateInChild } from '../unit/schema/fixtures/child.js';
import { dumpSchema } from '../unit/schema/fixtures/dump.js';
import { createOriginal, ROWS, snapshot } from '../unit/schema/fixtures/original.js';
import { connect, problemsOf } from '../unit/schema/fixtures/queue.js';

/** The columns of a task table. Those that stand for an expression are on MySQL alone. */
const columnsOn = (engine: string): string[] =>
  Object.entries(tasksTable({ table: 'tasks', status: TASK_STATUS, timeZone: 'Z', turns: true }).columns)
    .filter(([, { derived }]) => engine === 'mysql' || !derived)
    .map(([name]) => name);

/** Processes at a time. */
const WIDTH = 4;
/** More statements than any migration has. */
const MANY = 60;

describe.each(
  ENGINES.flatMap((engine) => [
    { engine, adopted: false },
    { engine, adopted: true },
  ]),
)('killed at any statement on $engine (adopting: $adopted)', ({ engine, adopted }) => {
  let database: TestDatabase;
  let dataSource: DataSource;
  beforeAll(async () => {
    database = await createDatabase(engine);
    dataSource = await connect(database);
  });
  afterAll(async () => {
    await dataSource?.destroy();
    await database?.drop();
  });

  /** Whether the process was killed; then the migration, run again, must finish the work. */
  async function interrupt(killAt: number): Promise<boolean> {
    // A table and a ledger of its own for each kill; on SQLite, where a lock is the whole file's, a file.
    const own = engine === 'sqlite' ? await createDatabase(engine) : database;
    const [table, migrationsTableName] = [`t${killAt}`, `ledger${killAt}`];
    const options = { ...own.options(), migrationsTableName };
    const local = await connect(own, { migrationsTableName });
    try {
      if (adopted) await createOriginal(local, engine, { table });
      const { signal, code, output } = await migrateInChild(options, { migration: { table }, killAt }).ended;
      if (signal === null) expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining('[') });
      else expect(signal).toBe('SIGKILL');
      await runTaskMigrations(local, { table });
      expect(await problemsOf(local, { table })).toEqual([]);
      expect(await runTaskMigrations(local, { table })).toEqual([]);
      const { columns } = await dumpSchema(local, engine, table);
      expect(columns.map((line) => line.split(' ')[0])).toEqual(expect.arrayContaining(columnsOn(engine)));
      if (adopted) expect(await snapshot(local, engine, table)).toEqual(ROWS);
      if (engine === 'mysql')
        expect(await local.query(`SELECT task_id AS id FROM ${table}_ready ORDER BY task_id DESC`)).toEqual(
          adopted ? [{ id: ROWS[0]!.id }, { id: ROWS[1]!.id }] : [],
        );
      return signal !== null;
    } finally {
      await local.destroy();
      if (own !== database) await own.drop();
    }
  }

  it('is finished by the next run, with every row', async () => {
    let kills = 0;
    for (let next = 1, through = false; !through; next += WIDTH) {
      expect(next).toBeLessThan(MANY);
      const batch = Array.from({ length: WIDTH }, (_, index) => interrupt(next + index));
      const killed = await Promise.all(batch);
      kills += killed.filter(Boolean).length;
      through = !killed.at(-1);
    }
    expect(kills).toBeGreaterThanOrEqual(6);
  }, 300_000);
});

describe.each(ENGINES)('ten processes at once on %s', (engine) => {
  it.each([false, true])('one migrates and none fails (adopting: %s)', async (adopted) => {
    const database = await createDatabase(engine);
    const dataSource = await connect(database);
    try {
      if (adopted) await createOriginal(dataSource, engine);
      const children = Array.from({ length: 10 }, () => migrateInChild(database.options(), { wait: true }));
      await Promise.all(children.map((child) => Promise.race([child.ready, child.ended])));
      for (const child of children) child.go();
      const ends = await Promise.all(children.map((child) => child.ended));
      expect(ends.filter(({ code }) => code !== 0)).toEqual([]);
      expect(ends.filter(({ output }) => output.includes('Initial'))).toHaveLength(1);
      expect(await problemsOf(dataSource)).toEqual([]);
      if (adopted) expect(await snapshot(dataSource, engine)).toEqual(ROWS);
    } finally {
      await dataSource.destroy();
      await database.drop();
    }
  });
});
