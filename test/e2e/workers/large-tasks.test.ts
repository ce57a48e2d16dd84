import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Column, Entity, type MigrationInterface, type QueryRunner } from 'typeorm';
import { Task, type TaskJson, taskMigrations } from '../../../src/index.js';
import { dataOf } from '../../support/answers.js';
import { type Host, PLACES, startHost } from '../../support/host.js';
import { until } from '../../support/until.js';

const MOST = 8 * 1024 * 1024;
/** Six bytes for each of them, as JSON. */
const CONTROL = '\u0001'.repeat(65_535);

interface Claimed {
  task: { taskId: string };
  leaseToken: string;
}

describe.each(PLACES)('workers of large tasks on $engine with $adapter', (where) => {
  let host: Host;
  beforeAll(async () => {
    host = await startHost(where);
  });
  afterAll(() => host?.close());

  const create = async (service: string, count: number): Promise<string[]> => {
    const ids: string[] = [];
    for (let made = 0; made < count; made++)
      ids.push(
        (await host.tasks.create({ userId: 'alice', input: CONTROL, args: CONTROL, service, status: 10 })).taskId,
      );
    return ids;
  };
  const claim = async (query: Record<string, string | number>, key?: string): Promise<Claimed[]> => {
    const headers: Record<string, string> = key ? { 'Idempotency-Key': key } : {};
    const answer = await host.worker('GET', '/api/crontask', { query: { limit: 100, lease: 60, ...query }, headers });
    expect(answer.text.length).toBeLessThanOrEqual(MOST + 1024);
    return dataOf(answer).list;
  };
  const idsOf = (claimed: Claimed[]): string[] => claimed.map(({ task }) => task.taskId);

  it('get as many as one answer holds, in their order, and the rest afterwards', async () => {
    const ids = await create('many', 25);
    const taken: string[] = [];
    for (const key of ['a', 'b', 'c']) {
      const claimed = await claim({ service: 'many' }, key);
      expect(claimed.length).toBeGreaterThan(4);
      expect(await claim({ service: 'many' }, key)).toEqual(claimed);
      taken.push(...idsOf(claimed));
    }
    expect(taken).toEqual(ids);
    expect(await claim({ service: 'many' })).toEqual([]);
  });

  it('get each task once, whatever they claim at once', async () => {
    const ids = [...(await create('x', 14)), ...(await create('y', 14)), ...(await create('z', 14))];
    const queries: Record<string, string | number>[] = [
      { service: 'x' },
      { service: 'x', limit: 3 },
      { service: 'y' },
      {},
      {},
      { taskId: ids[40]! },
    ];
    const taken: string[] = [];
    // What somebody's transaction gives back is found again within a second.
    await until('all are taken', async () => {
      taken.push(...(await Promise.all(queries.map((query) => claim(query)))).flatMap(idsOf));
      return taken.length >= ids.length;
    });
    expect([...taken].sort()).toEqual([...ids].sort());
  });

  it('report on many: those whose answer has no room are not taken, and named', async () => {
    const ids = await create('reported', 14);
    const claimed = [...(await claim({ service: 'reported' })), ...(await claim({ service: 'reported' }))];
    expect(idsOf(claimed)).toEqual(ids);
    let left = claimed.map(({ task, leaseToken }) => ({ taskId: task.taskId, leaseToken, progress: 7 }));
    for (let turn = 0; left.length > 0; turn++) {
      const answer = await host.worker('PUT', '/api/crontask', { json: { reports: left } });
      expect(answer.text.length).toBeLessThanOrEqual(MOST + 64 * 1024);
      const { list } = dataOf(answer) as { list: { taskId: string; status: number; data: any }[] };
      expect(list.map(({ taskId }) => taskId)).toEqual(left.map(({ taskId }) => taskId));
      const refused = list.filter(({ status }) => status === 0);
      for (const { taskId, data } of refused) {
        expect([data.code, data.detail.msg]).toEqual([14009, expect.stringContaining('send this one again')]);
        expect((await host.tasks.get(taskId)).progress).toBe(0);
      }
      expect(refused.length).toBe(turn === 0 ? 4 : 0);
      left = left.filter(({ taskId }) => refused.some((one) => one.taskId === taskId));
    }
    for (const id of ids) expect((await host.tasks.get(id)).progress).toBe(7);
  });

  it('lose them where their leases run out, more than one transaction moves', async () => {
    const ids = await create('lapsed', 50);
    let taken = 0;
    while (taken < ids.length) taken += (await host.tasks.claim({ service: 'lapsed', limit: 100, lease: 60 })).length;
    await host.tasks.dataSource.query(
      "UPDATE tasks SET lease_seconds = 1, lease_expires_at = '2026-01-01 00:00:00' WHERE service = 'lapsed'",
    );
    await until('all are ready', async () => {
      const { list } = await host.tasks.list({ userId: 'alice', service: 'lapsed', status: 20, pageNum: 1 });
      return list.length === 0;
    });
    for (const id of ids) expect(await host.tasks.get(id)).toMatchObject({ status: 10, attempts: 1, input: CONTROL });
  });

  it('end large tasks at once, each with its whole answer', async () => {
    const ids = await create('ended', 30);
    const claimed: Awaited<ReturnType<typeof claim>> = [];
    // What one of them leaves for want of room is locked until its transaction ends: others pass over it.
    await until('all are taken', async () => {
      claimed.push(...(await Promise.all([1, 2, 3, 4].map(() => claim({ service: 'ended' })))).flat());
      return claimed.length >= ids.length;
    });
    const ended = await Promise.all(
      claimed.map(({ task, leaseToken }) =>
        host.tasks.report(task.taskId, { leaseToken, status: 30, output: CONTROL }),
      ),
    );
    for (const task of ended) expect([task.status, task.input, task.output]).toEqual([30, CONTROL, CONTROL]);
    expect(ended.map(({ taskId }) => taskId).sort()).toEqual(ids.sort());
  });
});

@Entity('scans', { synchronize: false })
class Scan extends Task {
  @Column({ type: 'simple-json', nullable: true })
  pages!: string[] | null;

  @Column({ type: 'varchar', length: 5, nullable: true })
  kind!: string | null;

  override toResponse(): TaskJson {
    return { ...super.toResponse(), pages: this.pages, kind: this.kind };
  }
}

class AddPages1764000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const type = runner.connection.options.type === 'postgres' ? 'text' : 'longtext';
    await runner.query(`ALTER TABLE scans ADD COLUMN pages ${type}`);
    await runner.query('ALTER TABLE scans ADD COLUMN kind varchar(5)');
  }
  async down(): Promise<void> {}
}

describe.each(PLACES)("columns of a host's own on $engine with $adapter", (where) => {
  let host: Host;
  beforeAll(async () => {
    host = await startHost({
      ...where,
      options: { entity: Scan, migrate: false },
      typeorm: { migrations: [...taskMigrations({ table: 'scans' }), AddPages1764000000000], migrationsRun: true },
    });
  });
  afterAll(() => host?.close());

  it('are read as they are, however long, and count', async () => {
    const lengths = [10, 300_000, 9_000_000, 20, 900_000];
    const ids: string[] = [];
    for (const length of lengths) {
      const pages = ['first', 'x'.repeat(length)];
      ids.push(
        (await host.tasks.create({ userId: 'alice', input: 'in', status: 10, kind: `${ids.length}`, pages } as never))
          .taskId,
      );
    }
    const seen: Scan[] = [];
    let { nextCursor } = await host.tasks.list({ userId: 'alice', pageNum: 1 });
    seen.push(...((await host.tasks.list({ userId: 'alice', pageNum: 1 })).list as Scan[]));
    const sizes: number[] = [];
    while (nextCursor !== null) {
      const page = await host.tasks.list({ userId: 'alice', pageNum: 100, cursor: nextCursor });
      sizes.push(page.list.length);
      seen.push(...(page.list as Scan[]));
      ({ nextCursor } = page);
    }
    expect(seen.map(({ pages }) => pages!.map((page) => page.length))).toEqual(
      [...lengths].reverse().map((n) => [5, n]),
    );
    expect(seen.map(({ kind }) => kind)).toEqual(['4', '3', '2', '1', '0']);
    // The largest is more than an answer holds, and shown alone.
    expect(sizes).toEqual([1, 1, 2]);
    const claims: string[][] = [];
    for (let turn = 0; turn < 3; turn++)
      claims.push((await host.tasks.claim({ limit: 100 })).map(({ taskId }) => taskId));
    expect(claims).toEqual([ids.slice(0, 2), ids.slice(2, 3), ids.slice(3)]);
  });
});
