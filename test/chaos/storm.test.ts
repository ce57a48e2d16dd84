import { describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { userToken } from '../../src/server/secrets.js';
import { createDatabase, ENGINES } from '../support/databases.js';
import { Cluster, SECRET } from './fixtures/cluster.js';
import { OriginalWriter } from './fixtures/original.writer.js';
import { type Note, Workers } from './fixtures/workers.js';

/** Tasks an engine, besides those that plain SQL writes. */
const TASKS = Number(process.env.TEST_CHAOS_TASKS ?? 5000);
/** Seconds of storm at least, and seconds that all tasks have to end. */
const SECONDS = Number(process.env.TEST_CHAOS_SECONDS ?? 15);
const PATIENCE = Math.max(120, TASKS / 10);
const LEASE = 3;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function every(milliseconds: number, goesOn: () => boolean, work: () => unknown): Promise<void> {
  while (goesOn()) {
    await pause(milliseconds * (0.5 + Math.random()));
    if (goesOn()) await work();
  }
}

/** Notes of each task, in the order of their attempts. */
function byTask(notes: Note[]): Map<string, Note[]> {
  const tasks = new Map<string, Note[]>();
  for (const note of notes) {
    const taskId = note.claimed ?? note.accepted;
    if (taskId) tasks.set(taskId, [...(tasks.get(taskId) ?? []), note]);
  }
  return tasks;
}

/** What the notes of one task say that must not be. */
function faults(taskId: string, notes: Note[], row: { attempts: number; output: string }): string[] {
  const problems: string[] = [];
  const tokens = new Map<number, string>();
  for (const { attempt, leaseToken } of notes) {
    const known = tokens.get(attempt);
    if (known !== undefined && known !== leaseToken) problems.push(`attempt ${attempt} has two tokens`);
    tokens.set(attempt, leaseToken);
  }
  if (Math.max(...tokens.keys()) > row.attempts) problems.push(`the row says ${row.attempts} attempts`);
  const ends = new Set(notes.filter((note) => note.final).map((note) => note.leaseToken));
  if (ends.size > 1) problems.push(`it ended ${ends.size} times`);
  if (ends.size === 1 && !ends.has(row.output)) problems.push('its output is not what was accepted');
  for (const claim of notes.filter((note) => note.claimed))
    for (const report of notes.filter((note) => note.accepted && note.attempt < claim.attempt))
      if (report.sent > claim.at) problems.push(`attempt ${report.attempt} reported while ${claim.attempt} held it`);
  return problems.map((problem) => `${taskId}: ${problem}`);
}

describe.each(ENGINES)('workers and servers killed with kill -9, and a plain SQL writer, on %s', (engine) => {
  it(
    'every task ends exactly once, no two leases overlap, attempts add up, and the writer meets no deadlock',
    async () => {
      const database = await createDatabase(engine);
      const cluster = await Cluster.start(
        database.url,
        Array.from({ length: engine === 'sqlite' ? 1 : 2 }, () => ({ TASK_MAX_ATTEMPTS: '1000' })),
      );
      const dataSource = await new DataSource({ ...database.options(), migrationsTableName: 'test' }).initialize();
      const user = await userToken(SECRET, 'alice');
      for (let made = 0; made < TASKS; made += 500) {
        const json = Array.from({ length: Math.min(500, TASKS - made) }, () => ({ input: 'x', status: 10 }));
        expect((await cluster.request('POST', '/api/tasks', user, { json })).status).toBe(200);
      }
      const workers = new Workers(cluster.urls, 8, LEASE);
      const writer = await OriginalWriter.start(database);
      const end = Date.now() + SECONDS * 1000;
      const storm = (): boolean => Date.now() < end;
      await Promise.all([every(700, storm, () => workers.killOne()), every(3000, storm, () => cluster.killOne())]);
      const written = await writer.stop();

      const left = async (): Promise<number> => {
        const [row] = await dataSource.query<{ n: unknown }[]>('SELECT COUNT(*) AS n FROM tasks WHERE status <> 30');
        return Number(row!.n);
      };
      const deadline = Date.now() + PATIENCE * 1000;
      while ((await left()) > 0 && Date.now() < deadline) await pause(250);
      expect(await left()).toBe(0);
      // Whoever got the last answers has written them down by now.
      await pause(500);
      workers.stop();

      const notes = workers.notes;
      const rows = await dataSource.query<{ id: string; service: string; attempts: number; output: string }[]>(
        'SELECT id, service, attempts, output FROM tasks',
      );
      const told = byTask(notes);
      expect(notes.filter((note) => note.strange)).toEqual([]);
      expect(writer.errors).toEqual([]);
      expect(rows.filter((row) => row.service !== 'php')).toHaveLength(TASKS);
      expect(new Set(rows.filter((row) => row.service === 'php').map((row) => row.id))).toEqual(new Set(written));
      expect(rows.flatMap((row) => (told.has(row.id) ? faults(row.id, told.get(row.id)!, row) : []))).toEqual([]);
      // Someone was told of nearly all of them: those that nobody tells of were held by who was killed.
      expect(told.size).toBeGreaterThan(rows.length * 0.9);
      expect(await cluster.stop()).toEqual(engine === 'sqlite' ? [0] : [0, 0]);
      const again = rows.filter((row) => Number(row.attempts) > 1).length;
      process.stdout.write(
        `  storm on ${engine}: ${rows.length} tasks (${written.length} by SQL), ${again} ran again\n`,
      );
      await writer.close();
      await dataSource.destroy();
      await database.drop();
    },
    (SECONDS + PATIENCE + 60) * 1000,
  );
});
