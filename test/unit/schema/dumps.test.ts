import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type DataSource } from 'typeorm';
import { runTaskMigrations, TASK_STATUS, taskMigrations } from '../../../src/index.js';
import { SIDE_TABLES } from '../../../src/schema/releases.js';
import { READY } from '../../../src/schema/tables/ready.table.js';
import { RUNNING } from '../../../src/schema/tables/running.table.js';
import { createDatabase, ENGINES, type TestDatabase } from '../../support/databases.js';
import { dumpSchema, printDump, type SchemaDump } from './fixtures/dump.js';
import { createOriginal } from './fixtures/original.js';
import { claimAll, connect, problemsOf, withQueue } from './fixtures/queue.js';

const file = (engine: string): string => resolve(import.meta.dirname, 'dumps', `${engine}.txt`);

const sorted = ({ columns, indexes, triggers }: SchemaDump): SchemaDump => ({
  columns: columns.toSorted(),
  indexes: indexes.toSorted(),
  triggers: triggers.toSorted(),
});

describe.each(ENGINES)('the schema on %s', (engine) => {
  let database: TestDatabase;
  let dataSource: DataSource;
  beforeAll(async () => {
    database = await createDatabase(engine);
    dataSource = await connect(database);
    await runTaskMigrations(dataSource);
  });
  afterAll(async () => {
    await dataSource?.destroy();
    await database?.drop();
  });

  it('is as the committed dump says (UPDATE_SCHEMA=1 writes the dump anew)', async () => {
    const sides = [...(engine === 'mysql' ? [READY, RUNNING] : []), ...SIDE_TABLES].map(
      ({ suffix }) => `tasks_${suffix}`,
    );
    const tables = ['tasks', ...sides];
    const parts: string[] = [];
    for (const table of tables) parts.push(printDump(table, await dumpSchema(dataSource, engine, table)));
    const text = parts.join('\n');
    if (process.env.UPDATE_SCHEMA) writeFileSync(file(engine), text);
    expect(text).toBe(readFileSync(file(engine), 'utf8'));
  });

  it('is left alone by a second run', async () => {
    const before = await dumpSchema(dataSource, engine, 'tasks');
    expect(await problemsOf(dataSource)).toEqual([]);
    expect(await runTaskMigrations(dataSource)).toEqual([]);
    await dataSource.query('DELETE FROM migrations');
    expect(await runTaskMigrations(dataSource)).toHaveLength(taskMigrations().length);
    expect(await dumpSchema(dataSource, engine, 'tasks')).toEqual(before);
  });

  it("is the same over the original's table, but for the order of columns", async () => {
    const other = await createDatabase(engine);
    const adopted = await connect(other);
    try {
      await createOriginal(adopted, engine);
      await runTaskMigrations(adopted);
      const [found, fresh] = [
        await dumpSchema(adopted, engine, 'tasks'),
        await dumpSchema(dataSource, engine, 'tasks'),
      ];
      if (engine === 'sqlite') {
        // SQLite changes no column in place: those of the original keep their declared types.
        const names = ({ columns }: SchemaDump) => columns.map((line) => line.split(' ')[0]).toSorted();
        expect(names(found)).toEqual(names(fresh));
        expect(found.indexes).toEqual(fresh.indexes);
        expect(found.columns.filter((line) => line.startsWith('lease_'))).toEqual(
          fresh.columns.filter((line) => line.startsWith('lease_')),
        );
      } else {
        // Laravel goes on reading its times: their types stay.
        const isTime = (line: string) => /^(created|updated)_at /.test(line);
        const others = (dump: SchemaDump) => sorted({ ...dump, columns: dump.columns.filter((line) => !isTime(line)) });
        expect(others(found)).toEqual(others(fresh));
        const type = engine === 'mysql' ? 'datetime' : 'timestamp(0) without time zone';
        for (const line of found.columns.filter(isTime)) expect(line).toMatch(`_at ${type} DEFAULT `);
      }
    } finally {
      await adopted.destroy();
      await other.drop();
    }
  });

  it('takes another name, beside the first table and one whose name begins alike', async () => {
    for (const table of ['tasks_video', 'Zz9']) await runTaskMigrations(dataSource, { table });
    for (const table of ['tasks', 'tasks_video', 'Zz9']) {
      expect(await problemsOf(dataSource, { table })).toEqual([]);
      expect(await runTaskMigrations(dataSource, { table })).toEqual([]);
    }
  });

  it('embeds the integers of a catalogue, negative ones too', async () => {
    const status = { ...TASK_STATUS, INIT: 1, BEGIN: -7, START: 2 };
    const other = await createDatabase(engine);
    const custom = await connect(other);
    try {
      await withQueue(custom, { status }, async (queue) => {
        await queue.service.create({ userId: 'alice', input: 'draft' });
        await queue.service.create({ userId: 'alice', input: 'ready', status: -7 });
        const now = engine === 'mysql' ? 'UTC_TIMESTAMP(3)' : 'CURRENT_TIMESTAMP';
        const values = `'plain', 'alice', 'default', -7, 'by SQL', ${now}`;
        await custom.query(`INSERT INTO tasks (id, user_id, service, status, input, created_at) VALUES (${values})`);
        expect((await claimAll(queue)).toSorted()).toEqual(['by SQL', 'ready']);
      });
      expect(await problemsOf(custom, { status })).toEqual([]);
      expect(JSON.stringify(await dumpSchema(custom, engine, 'tasks'))).toContain('-7');
      expect(await problemsOf(custom)).not.toEqual([]);
    } finally {
      await custom.destroy();
      await other.drop();
    }
  });

  it('is not forced upon a table that is no task table', async () => {
    await dataSource.query('CREATE TABLE stranger (id integer, title varchar(20))');
    await dataSource.query("INSERT INTO stranger VALUES (1, 'mine')");
    const before = await dumpSchema(dataSource, engine, 'stranger');
    await expect(runTaskMigrations(dataSource, { table: 'stranger' })).rejects.toThrow(
      /`stranger` exists and is no task table: it has no column user_id, .*option `table`/,
    );
    expect(await dumpSchema(dataSource, engine, 'stranger')).toEqual(before);
    expect(await dataSource.query('SELECT * FROM stranger')).toEqual([{ id: 1, title: 'mine' }]);
  });
});
