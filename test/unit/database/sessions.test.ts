import { afterAll, beforeAll, expect, it } from '@jest/globals';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { Pool } from '../../../src/database/pool.js';
import { administer, createDatabase, describeOn, type TestDatabase } from '../../support/databases.js';
import { type Host, startHost } from '../../support/host.js';
import { lives, NASTY } from '../../support/lives.js';

const place = { adapter: 'fastify' } as const;

describeOn('mysql')('sessions of MySQL and MariaDB', () => {
  let database: TestDatabase;
  beforeAll(async () => void (database = await createDatabase('mysql')));
  afterAll(() => database?.drop());

  it("a caller's transaction keeps values to be values, whatever its sql_mode", async () => {
    const host = await startHost({ ...place, engine: 'mysql', database });
    const { tasks } = host;
    const isMaria = /maria/i.test((await tasks.dataSource.query<{ v: string }[]>('SELECT version() AS v'))[0]!.v);
    const modes = [
      'NO_BACKSLASH_ESCAPES',
      'NO_BACKSLASH_ESCAPES,ANSI_QUOTES',
      'ANSI_QUOTES',
      '',
      ...(isMaria ? ['ORACLE'] : []),
    ];
    try {
      for (const mode of modes)
        await tasks.dataSource.transaction(async (manager) => {
          await manager.query(`SET SESSION sql_mode = '${mode}'`);
          for (const input of NASTY) {
            const task = await tasks.create({ userId: `eve ${mode}`, input, args: input, service: 's' }, { manager });
            expect(task.input).toBe(input);
            await tasks.update(task.taskId, { args: `${input}!` }, { manager });
            const [row] = await manager.query<{ input: string; args: string }[]>(
              `SELECT input, args FROM tasks WHERE id = '${task.taskId}'`,
            );
            expect(row).toEqual({ input, args: `${input}!` });
          }
          await manager.query('SET SESSION sql_mode = DEFAULT');
        });
      const rows = await tasks.dataSource.query<{ n: unknown }[]>('SELECT COUNT(*) AS n FROM tasks');
      expect(Number(rows[0]!.n)).toBe(modes.length * NASTY.length);
    } finally {
      await host.close();
    }
  });

  it("what a host asks of the driver for its own queries does not reach the queue's", async () => {
    const extra = {
      namedPlaceholders: true,
      dateStrings: true,
      resetOnRelease: true,
      queryFormat: (sql: string) => sql.replaceAll('tasks', 'no_such_table'),
    };
    const migrated = await startHost({ ...place, engine: 'mysql', database });
    await migrated.close();
    const host = await startHost({
      ...place,
      engine: 'mysql',
      database,
      typeorm: { extra: { ...extra, queryFormat: undefined, typeCast: (_: unknown, next: () => unknown) => next() } },
    });
    try {
      await lives(host);
    } finally {
      await host.close();
    }
  });

  it('a session says what we rely on, and none runs behind a statement that failed', async () => {
    const dataSource = await new DataSource(database.options()).initialize();
    const pool = await Pool.open(dataSource, new Set());
    try {
      const connection = await pool.take();
      const [modes] = await connection.send([sql('SELECT @@sql_mode AS mode, @@autocommit AS autocommit')]);
      expect(modes!.rows[0]).toEqual({
        mode: 'STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION',
        autocommit: expect.anything(),
      });
      await connection.send([sql('CREATE TABLE IF NOT EXISTS behind (id int)')]);
      await expect(
        connection.send([sql('SELECT * FROM no_such_table'), sql('INSERT INTO behind VALUES (1)')]),
      ).rejects.toThrow(/no_such_table/);
      const [rows] = await connection.send([sql('SELECT * FROM behind')]);
      expect(rows!.rows).toEqual([]);
      pool.put(connection);
    } finally {
      await pool.close();
      await dataSource.destroy();
    }
  });
});

describeOn('postgres')('sessions of PostgreSQL', () => {
  let database: TestDatabase;
  beforeAll(async () => void (database = await createDatabase('postgres')));
  afterAll(() => database?.drop());

  it('a database with other settings, and a driver with other parsers, change nothing', async () => {
    const name = new URL(database.url).pathname.slice(1);
    for (const setting of [
      'standard_conforming_strings = off',
      `"DateStyle" = 'SQL, DMY'`,
      `"TimeZone" = 'Asia/Kathmandu'`,
      'extra_float_digits = -15',
      `default_transaction_isolation = 'serializable'`,
      `"IntervalStyle" = 'sql_standard'`,
      `bytea_output = 'escape'`,
    ])
      await administer('postgres', `ALTER DATABASE ${name} SET ${setting}`);
    const types = [20, 700, 701, 1184, 1700];
    const before = types.map((type) => pg.types.getTypeParser(type, 'text'));
    for (const type of types) pg.types.setTypeParser(type, (text: string) => `host: ${text}`);
    let host: Host | undefined;
    try {
      host = await startHost({ ...place, engine: 'postgres', database });
      await lives(host);
      const { tasks } = host;
      await tasks.dataSource.transaction(async (manager) => {
        const task = await tasks.create({ userId: 'eve', input: '\\', service: 's' }, { manager });
        expect(await tasks.update(task.taskId, { args: '\\' }, { manager })).toMatchObject({ args: '\\', status: 0 });
      });
    } finally {
      for (const [index, type] of types.entries()) pg.types.setTypeParser(type, before[index]!);
      await host?.close();
    }
  });

  it('none runs behind a statement that failed, be it the BEGIN', async () => {
    const dataSource = await new DataSource(database.options()).initialize();
    const pool = await Pool.open(dataSource, new Set());
    try {
      const connection = await pool.take();
      await connection.send([sql('CREATE TABLE behind (id int)')]);
      await expect(connection.send([sql('SELECT 1/0'), sql('INSERT INTO behind VALUES (1)')])).rejects.toThrow(
        /division/,
      );
      const circle: Record<string, unknown> = {};
      circle.self = circle;
      const unwritable = { sql: '', text: 'SELECT $1::text', values: [circle] };
      await expect(connection.send([unwritable, sql('INSERT INTO behind VALUES (2)')])).rejects.toThrow(/circular/i);
      pool.put(connection);
      const other = await pool.take();
      const [rows] = await other.send([sql('SELECT * FROM behind')]);
      expect(rows!.rows).toEqual([]);
      pool.put(other);
    } finally {
      await pool.close();
      await dataSource.destroy();
    }
  });
});

const sql = (text: string) => ({ sql: text, text, values: [] });
