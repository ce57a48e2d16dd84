import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { createOriginal, ROWS } from '../unit/schema/fixtures/original.js';
import { createDatabase, ENGINES } from '../support/databases.js';
import { ADAPTERS, startHost } from '../support/host.js';
import { hasPhp } from '../support/machine.js';
import { newFolder } from '../support/server.js';

const FIXTURES = resolve(import.meta.dirname, 'fixtures');
const COUNT = 40;

async function php<T>(script: string, ...args: string[]): Promise<T> {
  const { stdout } = await promisify(execFile)('php', [join(FIXTURES, script), ...args], { maxBuffer: 2 ** 26 });
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as T;
}

interface Errors {
  errors: string[];
}

const suite = hasPhp() && ENGINES.includes('mysql') ? describe.each(ADAPTERS) : describe.skip.each(ADAPTERS);

suite('a Laravel application beside the queue on one adopted table, with %s', (adapter) => {
  it('its workers, its forms and its own SQL go on as they are, beside workers of the new form', async () => {
    const database = await createDatabase('mysql');
    const before = await new DataSource(database.options()).initialize();
    const running = { ...ROWS[0]!, id: `0${ROWS[0]!.id.slice(1)}`, status: 20, input: 'was running' };
    await createOriginal(before, 'mysql', { rows: [...ROWS, running] });
    const host = await startHost({
      engine: 'mysql',
      adapter,
      database,
      options: { timeZone: '+08:00', cronGuards: [], workerTokens: [], legacyLease: 3, maxAttempts: 100 },
    });
    const { hostname, port, username, password, pathname } = new URL(database.url);
    const at = [hostname, port, pathname.slice(1), username || 'root', decodeURIComponent(password)];
    const stop = join(newFolder(), 'stop');
    let working = true;
    const ours = (async () => {
      while (working)
        for (const task of await host.tasks.claim({ service: 'default', limit: 3 }))
          await host.tasks.report(task.taskId, { leaseToken: task.leaseToken!, status: 30, output: 'by ours' });
    })();
    const worker = php<Errors & { done: string[] }>('worker.php', host.url, stop);
    const [frontend, writer] = await Promise.all([
      php<Errors & { made: string[]; deleted: string[]; listed: string[] }>('frontend.php', host.url, String(COUNT)),
      php<Errors & { ready: string[]; taken: string[] }>('writer.php', ...at, String(COUNT)),
    ]);
    const open = async (): Promise<string[]> =>
      (await before.query<{ id: string }[]>('SELECT id FROM tasks WHERE status IN (10, 20)')).map(({ id }) => id);
    // What the application took itself and never ended is taken back after its lease, and worked.
    for (const end = Date.now() + 60_000; (await open()).length > 0 && Date.now() < end;)
      await new Promise((done) => setTimeout(done, 200));
    working = false;
    await ours;
    writeFileSync(stop, '');
    const { done, errors } = await worker;

    expect({ worker: errors, frontend: frontend.errors, writer: writer.errors }).toEqual({
      worker: [],
      frontend: [],
      writer: [],
    });
    expect(await open()).toEqual([]);
    const rows = await before.query<{ id: string; status: number; output: string; input: string; attempts: number }[]>(
      'SELECT id, status, output, input, attempts FROM tasks',
    );
    const byId = new Map(rows.map((row) => [row.id, row]));
    const expected = [...frontend.made, ...writer.ready, ...writer.taken, running.id, ROWS[0]!.id, ROWS[1]!.id];
    for (const id of expected)
      expect(byId.get(id)).toMatchObject({ status: 30, output: expect.stringMatching(/^by /) });
    for (const id of [running.id, ...writer.taken]) expect(byId.get(id)!.attempts).toBeGreaterThan(1);
    expect(frontend.deleted).toHaveLength(COUNT / 5);
    for (const id of frontend.deleted) expect(byId.has(id)).toBe(false);
    expect(new Set(frontend.listed)).toEqual(new Set(frontend.made));
    expect(rows).toHaveLength(ROWS.length + 1 + frontend.made.length + COUNT);
    expect(await before.query('SELECT task_id FROM tasks_ready')).toEqual([]);
    process.stdout.write(`  laravel with ${adapter}: ${rows.length} rows, ${done.length} worked by PHP\n`);
    await host.close();
    await before.destroy();
    await database.drop();
  });
});
