import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { runTaskMigrations } from '../../../src/index.js';
import { createDatabase, ENGINES, type TestDatabase } from '../../support/databases.js';
import { dumpSchema } from './fixtures/dump.js';
import { createOriginal, insertLikePhp, ROWS, snapshot } from './fixtures/original.js';
import { claimAll, connect, problemsOf, withQueue } from './fixtures/queue.js';

const OWNER = ROWS[0]!.user_id;
/** A row without a time counts as oldest. */
const NEWEST_FIRST = [4, 3, 2, 1, 0, 5].map((index) => ROWS[index]!.id);

describe.each(ENGINES)("over the original's own table on %s", (engine) => {
  let database: TestDatabase;
  let dataSource: DataSource;
  beforeEach(async () => {
    database = await createDatabase(engine);
    dataSource = await connect(database);
  });
  afterEach(async () => {
    await dataSource?.destroy();
    await database?.drop();
  });

  it('keeps every row byte for byte', async () => {
    await createOriginal(dataSource, engine);
    const before = await snapshot(dataSource, engine);
    expect(before).toEqual(ROWS);
    await runTaskMigrations(dataSource);
    expect(await snapshot(dataSource, engine)).toEqual(before);
  });

  it('works the rows that were there, oldest first, and those that PHP inserts afterwards', async () => {
    await createOriginal(dataSource, engine);
    await withQueue(dataSource, {}, async ({ service }) => {
      const [first] = await service.claim({ legacy: true });
      expect(first).toMatchObject({ taskId: ROWS[0]!.id, status: 20, attempts: 1, args: '{"height": 720}' });
      expect(await service.report(first!.taskId, { status: 30, output: 'out' })).toMatchObject({
        status: 30,
        progress: 100,
      });
      expect(await service.get(ROWS[2]!.id)).toMatchObject({ input: '文字 🎬 é', status: 0 });
      await service.markReady(ROWS[2]!.id);
      expect((await service.list({ userId: OWNER })).list.map((task) => task.taskId)).toEqual(NEWEST_FIRST);
      const php = { ...ROWS[0]!, input: 'by PHP', created_at: '2026-01-01 07:59:59' };
      await insertLikePhp(dataSource, engine, { ...php, id: '10000000-bbfd-4b2d-9b5d-ab8dfbbd4bed' });
      await insertLikePhp(dataSource, engine, { ...php, id: '20000000-bbfd-4b2d-9b5d-ab8dfbbd4bed', status: 0 });
      // Older than what was claimed: in its place within a second.
      await setTimeout(1100);
      expect((await service.claim())[0]?.input).toBe('by PHP');
      expect((await service.claim())[0]?.input).toBe(ROWS[1]!.input);
      await dataSource.query(`UPDATE tasks SET status = 10 WHERE id = '20000000-bbfd-4b2d-9b5d-ab8dfbbd4bed'`);
      await setTimeout(1100);
      expect((await service.claim())[0]?.input).toBe('by PHP');
      expect((await service.claim())[0]?.input).toBe(ROWS[2]!.input);
      expect(await service.claim()).toEqual([]);
    });
  });

  it('gives running rows without a lease one, and takes them back when it is over, whoever took them, and when', async () => {
    const running = { ...ROWS[0]!, status: 20 };
    const [before, slow, later] = ['1', '2', '3'].map((digit) => `${digit}${ROWS[0]!.id.slice(1)}`) as [
      string,
      string,
      string,
    ];
    await createOriginal(dataSource, engine, {
      rows: [
        { ...running, id: before, input: 'before' },
        { ...running, id: slow, service: 'slow', input: 'slow' },
      ],
    });
    const options = { legacyLease: 1, services: { slow: { legacyLease: 5000 } }, maxAttempts: 2 };
    await withQueue(dataSource, options, async ({ service, sweep }) => {
      await insertLikePhp(dataSource, engine, { ...ROWS[0]!, id: later, input: 'later' });
      // A worker of ours had it, and gave it back: its token is worth nothing to the task's next holder.
      const [first] = await service.claim({ taskId: later });
      await service.report(later, { leaseToken: first!.leaseToken!, status: 10 });
      await dataSource.query(`UPDATE tasks SET status = 20 WHERE id = '${later}'`);
      await sweep();
      for (const [id, leaseSeconds] of [
        [before, 1],
        [slow, 5000],
        [later, 1],
      ] as const)
        expect(await service.get(id)).toMatchObject({
          status: 20,
          attempts: 1,
          leaseSeconds,
          leaseExpiresAt: expect.any(Date),
        });
      await expect(service.report(later, { leaseToken: first!.leaseToken!, progress: 9 })).rejects.toThrow(/lease/i);
      // A worker of the original's form reports without any token, and renews the lease.
      expect(await service.report(slow, { progress: 50 })).toMatchObject({ status: 20, progress: 50 });
      await setTimeout(1100);
      await sweep();
      expect(await Promise.all([before, slow, later].map(async (id) => (await service.get(id)).status))).toEqual([
        10, 20, 10,
      ]);
      expect((await service.report(slow, { status: 30 })).status).toBe(30);
      // The second time is the last attempt.
      await dataSource.query(`UPDATE tasks SET status = 20 WHERE id = '${before}'`);
      await sweep();
      await setTimeout(1100);
      await sweep();
      expect(await service.get(before)).toMatchObject({ status: -10, attempts: 2 });
    });
  });

  it('takes four owners for four who were one to the old collation', async () => {
    await createOriginal(dataSource, engine, { rows: [] });
    await withQueue(dataSource, {}, async ({ service }) => {
      for (const userId of ['alice', 'ALICE', 'alicé', 'alice ']) {
        await service.create({ userId, input: userId });
        expect((await service.list({ userId })).list.map((task) => task.input)).toEqual([userId]);
      }
    });
  });

  it("takes a host's own changes as they are: wider strings, longer texts, NULLs, its own group", async () => {
    await createOriginal(dataSource, engine, { changed: true, rows: ROWS.slice(0, 3) });
    const long = { ...ROWS[0]!, id: '30000000-bbfd-4b2d-9b5d-ab8dfbbd4bed', input: 'x'.repeat(70_000), status: null };
    await insertLikePhp(dataSource, engine, long);
    const group = engine === 'mysql' ? '`group`' : '"group"';
    await dataSource.query(`UPDATE tasks SET ${group} = '${'g'.repeat(90)}' WHERE id = '${long.id}'`);
    const before = await snapshot(dataSource, engine);
    await runTaskMigrations(dataSource);
    expect(await problemsOf(dataSource)).toEqual([]);
    expect(await snapshot(dataSource, engine)).toEqual(before);
    expect(await dataSource.query(`SELECT ${group} AS g, flavour FROM tasks WHERE id = '${long.id}'`)).toEqual([
      { g: 'g'.repeat(90), flavour: 'sweet' },
    ]);
    const { columns } = await dumpSchema(dataSource, engine, 'tasks');
    if (engine === 'mysql')
      expect(columns).toEqual(expect.arrayContaining(['input mediumtext utf8mb4', 'args longtext utf8mb4']));
    // NULL to 10: the row becomes ready though its old status compares with nothing.
    await dataSource.query(`UPDATE tasks SET ${group} = 'short', status = 10 WHERE id = '${long.id}'`);
    await withQueue(dataSource, {}, async (queue) => {
      expect((await queue.service.claim({ group: 'short' }))[0]?.taskId).toBe(long.id);
      expect(await claimAll(queue)).toEqual(['oldest', ROWS[1]!.input]);
      // SQLite changes no column that is there: one that refuses NULL goes on refusing it.
      if (engine !== 'sqlite') await queue.service.create({ userId: 'alice', input: 'without args' });
    });
  });

  it('reads and writes times in the zone that PHP writes', async () => {
    await createOriginal(dataSource, engine, { rows: ROWS.slice(0, 1) });
    await withQueue(dataSource, { timeZone: '+08:00' }, async (queue) => {
      expect((await queue.service.get(ROWS[0]!.id)).createdAt?.toISOString()).toBe('2026-01-01T00:00:00.000Z');
      const began = Date.now();
      const ours = await queue.service.create({ userId: OWNER, input: 'now', status: 10 });
      expect(Math.abs(ours.createdAt!.getTime() - began)).toBeLessThan(60_000);
      for (const [digit, input, minutes] of [
        [1, 'an hour ago', -60],
        [2, 'in an hour', 60],
      ] as const)
        await dataSource.transaction(async (manager) => {
          const local = new Date(began + (480 + minutes) * 60_000).toISOString().slice(0, 19).replace('T', ' ');
          await manager.query(
            `INSERT INTO tasks (id, user_id, service, status, input, created_at)
            VALUES ('${digit}0000000-bbfd-4b2d-9b5d-ab8dfbbd4bed', '${OWNER}', 'default', 10, '${input}', '${local}')`,
          );
        });
      const { list: listed } = await queue.service.list({ userId: OWNER });
      expect(listed.map((task) => task.input)).toEqual(['in an hour', 'now', 'an hour ago', 'oldest']);
      expect(Math.abs(listed[0]!.createdAt!.getTime() - began - 3_600_000)).toBeLessThan(60_000);
      expect(await claimAll(queue)).toEqual(['oldest', 'an hour ago', 'now', 'in an hour']);
    });
  });

  // SQLite sets no default on a column that is there.
  if (engine !== 'sqlite')
    it('dates a row that names no time in that zone, too', async () => {
      await createOriginal(dataSource, engine, { rows: [] });
      await withQueue(dataSource, { timeZone: '-03:30' }, async ({ service }) => {
        const { id, user_id, service: kind, status, input } = ROWS[0]!;
        const dateless = { id, user_id, service: kind, status, input };
        await insertLikePhp(dataSource, engine, dateless);
        const { createdAt } = await service.get(dateless.id);
        expect(Math.abs(createdAt!.getTime() - Date.now())).toBeLessThan(60_000);
      });
    });
});
