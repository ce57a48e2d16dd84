import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { createDatabase, describeOn, ENGINES, type TestDatabase } from '../../support/databases.js';
import { createOriginal, ROWS } from './fixtures/original.js';
import { claimAll, connect, problemsOf, withQueue } from './fixtures/queue.js';

const OWNER = ROWS[0]!.user_id;
/** As PHP reads it: `DateTime::createFromFormat('Y-m-d H:i:s', …)` takes this and nothing else. */
const PHP_TIME = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/;
const id = (digit: number): string => `${digit}${ROWS[0]!.id.slice(1)}`;

/** The two times as plain text, as a driver without types of its own gets them. */
async function textOf(dataSource: DataSource, engine: string, taskId: string): Promise<string[]> {
  const text = (column: string) => (engine === 'sqlite' ? column : `CAST(${column} AS CHAR(40))`);
  const [row] = await dataSource.query<{ c: string; u: string }[]>(
    `SELECT ${text('created_at')} AS c, ${text('updated_at')} AS u FROM tasks WHERE id = '${taskId}'`,
  );
  return [row!.c.trim(), row!.u.trim()];
}

describe.each(ENGINES)("the original's times on %s", (engine) => {
  let database: TestDatabase;
  let dataSource: DataSource;
  beforeEach(async () => {
    database = await createDatabase(engine);
    dataSource = await connect(database);
  });
  afterEach(async () => {
    await dataSource.destroy();
    await database.drop();
  });

  it.each(['+00:00', '+08:00'])('stay as PHP reads them, and answers are what is stored (%s)', async (timeZone) => {
    await createOriginal(dataSource, engine, { rows: [] });
    await withQueue(dataSource, { timeZone }, async (queue) => {
      const { service } = queue;
      const began = Math.floor(Date.now() / 1000) * 1000;
      const ids: string[] = [];
      for (let i = 0; i < 7; i++) {
        const task = await service.create({ userId: OWNER, input: `${i}`, status: 10 });
        ids.push(task.taskId);
        expect(await service.get(task.taskId)).toEqual(task);
        // Rounded up, it would lie in the future.
        expect(task.createdAt!.getTime()).toBeLessThanOrEqual(Date.now());
        expect(task.createdAt!.getTime()).toBeGreaterThanOrEqual(began);
      }
      const updated = await service.update(ids[6]!, { args: 'x' });
      expect(await service.get(ids[6]!)).toEqual(updated);
      expect(updated.updatedAt!.getTime()).toBeLessThanOrEqual(Date.now());
      const { list } = await service.list({ userId: OWNER });
      expect(list.map((task) => task.input)).toEqual(['6', '5', '4', '3', '2', '1', '0']);
      const paged: string[] = [];
      for (let cursor: string | undefined; ;) {
        const page = await service.list({ userId: OWNER, pageNum: 2, cursor });
        paged.push(...page.list.map((task) => task.taskId));
        if (!(cursor = page.nextCursor ?? undefined)) break;
      }
      expect(paged).toEqual(ids.toReversed());
      // Many in one second: in the order of their ids, and at once.
      expect(await claimAll(queue)).toEqual(['0', '1', '2', '3', '4', '5', '6']);
      const reported = await service.report(ids[0]!, {
        leaseToken: (await service.get(ids[0]!)).leaseToken!,
        status: 30,
      });
      expect(await service.get(ids[0]!)).toEqual(reported);
      for (const taskId of ids)
        for (const text of await textOf(dataSource, engine, taskId)) {
          expect(text).toMatch(PHP_TIME);
          expect(Math.abs(new Date(`${text.replace(' ', 'T')}${timeZone}`).getTime() - began)).toBeLessThan(60_000);
        }
    });
    expect(await problemsOf(dataSource, { timeZone })).toEqual([]);
  });
});

describe('a table whose definition is one line, as Laravel makes it on SQLite', () => {
  it('keeps its times without milliseconds, too', async () => {
    const database = await createDatabase('sqlite');
    const dataSource = await connect(database);
    try {
      await dataSource.query(
        `create table "tasks" ("id" varchar not null, "user_id" varchar not null, "service" varchar not null,
        "status" integer not null default '0', "progress" integer not null default '0', "input" text, "args" text,
        "temp" text, "output" text, "created_at" datetime, "updated_at" datetime, primary key ("id"))`.replaceAll(
          /\s+/g,
          ' ',
        ),
      );
      await withQueue(dataSource, {}, async ({ service }) => {
        const { taskId } = await service.create({ userId: OWNER, input: 'in' });
        for (const text of await textOf(dataSource, 'sqlite', taskId)) expect(text).toMatch(PHP_TIME);
      });
    } finally {
      await dataSource.destroy();
      await database.drop();
    }
  });
});

describeOn('mysql', 'postgres')('times that know their zone on %s', (engine) => {
  const INSTANT = '2026-01-01T00:00:00.000Z';
  const [type, zoneOf] = {
    mysql: ['timestamp NULL', `SET time_zone = '+08:00'`],
    postgres: ['timestamp(0) with time zone', `SET LOCAL TIME ZONE INTERVAL '+08:00' HOUR TO MINUTE`],
    sqlite: ['', ''],
  }[engine];

  it('are not shifted by option timeZone, nor by the zone of any session', async () => {
    const database = await createDatabase(engine);
    const dataSource = await connect(database, { poolSize: 2 });
    const php = await connect(database, { poolSize: 1 });
    /** In a session of PHP's, which sees them in its own zone. */
    const inPhp = <T>(sql: string, values: string[] = []): Promise<T> =>
      php.transaction(async (manager) => {
        await manager.query(zoneOf!);
        return manager.query<T>(sql, values);
      });
    const insert = (digit: number, input: string, time: string) =>
      inPhp(
        `INSERT INTO tasks (id, user_id, service, status, input, created_at, updated_at)
        VALUES ('${id(digit)}', '${OWNER}', 'default', 10, '${input}', '${time}', '${time}')`,
      );
    try {
      await createOriginal(dataSource, engine, { rows: [] });
      for (const column of ['created_at', 'updated_at'])
        await dataSource.query(
          engine === 'mysql'
            ? `ALTER TABLE tasks MODIFY ${column} ${type}`
            : `ALTER TABLE tasks ALTER ${column} TYPE ${type}`,
        );
      await insert(2, 'before', '2026-01-01 08:00:00');
      await withQueue(dataSource, { timeZone: '+08:00' }, async (queue) => {
        const { service } = queue;
        expect((await service.get(id(2))).createdAt?.toISOString()).toBe(INSTANT);
        await insert(1, 'after', '2026-01-01 08:00:01');
        const ours = await service.create({ userId: OWNER, input: 'ours', status: 10 });
        expect(await service.get(ours.taskId)).toEqual(ours);
        expect(Math.abs(ours.createdAt!.getTime() - Date.now())).toBeLessThan(60_000);
        // In a host's own transaction, whose session has another zone.
        const hosts = await dataSource.transaction(async (manager) => {
          await manager.query(zoneOf!.replace('+08:00', '-03:00'));
          const made = await service.create({ userId: OWNER, input: 'in a transaction', status: 10 }, { manager });
          return (await service.update(made.taskId, { args: 'x' }, { manager })).taskId;
        });
        expect(Math.abs((await service.get(hosts)).createdAt!.getTime() - Date.now())).toBeLessThan(60_000);
        expect(Math.abs((await service.get(hosts)).updatedAt!.getTime() - Date.now())).toBeLessThan(60_000);
        const [seen] = await inPhp<{ t: string }[]>(
          engine === 'mysql'
            ? `SELECT CAST(created_at AS CHAR) AS t FROM tasks WHERE id = ?`
            : `SELECT to_char(created_at, 'YYYY-MM-DD HH24:MI:SS') AS t FROM tasks WHERE id = $1`,
          [ours.taskId],
        );
        expect(seen!.t).toBe(
          new Date(ours.createdAt!.getTime() + 8 * 3_600_000).toISOString().slice(0, 19).replace('T', ' '),
        );
        const first = await service.list({ userId: OWNER, pageNum: 3 });
        const second = await service.list({ userId: OWNER, pageNum: 3, cursor: first.nextCursor! });
        expect([...first.list, ...second.list].map((task) => task.input)).toEqual([
          'in a transaction',
          'ours',
          'after',
          'before',
        ]);
        await inPhp(`UPDATE tasks SET status = 0 WHERE id = '${hosts}'`);
        expect(await claimAll(queue)).toEqual(['before', 'after', 'ours']);
        // Whoever's session wrote a row, whoever's takes it: nothing is left behind.
        if (engine === 'mysql') expect(await dataSource.query('SELECT task_id FROM tasks_ready')).toEqual([]);
        expect((await service.get(id(2))).createdAt?.toISOString()).toBe(INSTANT);
      });
      expect(await problemsOf(dataSource, { timeZone: '+08:00' })).toEqual([]);
    } finally {
      await dataSource.destroy();
      await php.destroy();
      await database.drop();
    }
  });
});
