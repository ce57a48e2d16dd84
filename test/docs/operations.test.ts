import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { ANSWERS } from '../../src/queue/answer-room.js';
import { BOUNDS } from '../../src/validation/rules.js';
import { DEADLINES } from '../../src/database/deadlines.js';
import { read } from '../support/documents.js';
import { type Host, PLACES, startHost } from '../support/host.js';
import { until } from '../support/until.js';

const PAGE = read('docs/operations.md');
/** The statements of one of the incidents. */
const incident = (number: number): string[] =>
  new RegExp(`\\*\\*${number}\\. [^]*?\`\`\`sql\\n([^]*?)\`\`\``)
    .exec(PAGE)![1]!
    .split(';\n')
    .filter((statement) => statement.trim() !== '');

describe('docs/operations.md', () => {
  it.each(['mysql', 'postgres', 'sqlite'])('names every column of every table (%s)', (engine) => {
    const sections = read(`test/unit/schema/dumps/${engine}.txt`)
      .split(/^# columns of /m)
      .slice(1);
    expect(sections.length).toBeGreaterThan(2);
    for (const section of sections) {
      const [table, ...lines] = section.split('\n');
      // The buckets of a histogram are one line.
      const nameOf = (line: string): string => line.split(' ')[0]!.replace(/_(\d+|more)$/, '_…');
      const columns = [...new Set(lines.slice(0, lines.indexOf('')).map(nameOf))];
      const documented = PAGE.slice(PAGE.indexOf(`\n\`${table}\``)).split('\n\n')[1]!;
      const named = [...documented.matchAll(/^\| `([\w…]+)` *\| (.*?) *\|$/gm)]
        .filter(([, , text]) => engine === 'mysql' || !text!.startsWith('on MySQL and MariaDB only'))
        .map(([, name]) => name!);
      expect([table, named.sort()]).toEqual([table, columns.sort()]);
    }
  });

  it('states each deadline as it is', () => {
    const stated = [...PAGE.matchAll(/^\| `(\w+)`: .*? \| (\d+) +\| /gm)].map(([, name, value]) => [
      name,
      Number(value),
    ]);
    expect(Object.fromEntries(stated)).toEqual(DEADLINES);
  });

  it('states the bounds of answers as they are', () => {
    const stated = [...PAGE.matchAll(/^\| ([\w ,]*(?:answer|those to)[^|]*?) +\| (\d+) (MiB|KiB|s) +\|/gm)].map(
      ([, , value, unit]) => Number(value) * { MiB: 1024 * 1024, KiB: 1024, s: 1000 }[unit as 'MiB'],
    );
    const { small, room, share, patience } = ANSWERS;
    expect(stated).toEqual([BOUNDS.answerBytes, small, room, share, room, patience]);
  });

  it('names commands that exist', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const named = [...PAGE.matchAll(/npm run (?:--silent )?([\w:]+)/g)].map(([, name]) => name!);
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
  });
});

describe.each(PLACES)('the SQL of docs/operations.md on $engine', (where) => {
  let host: Host;
  beforeAll(async () => {
    host = await startHost({ ...where, options: { callbackUrl: 'http://127.0.0.1:1/', dispatchCallbacks: false } });
  });
  afterAll(() => host?.close());

  const sql = (text: string): Promise<any> => host.app.get(DataSource).query(text);
  const run = async (number: number, values: Record<string, string> = {}): Promise<any> => {
    let answer: unknown;
    for (const statement of incident(number))
      answer = await sql(
        Object.entries(values).reduce((text, [from, to]) => {
          expect(incident(number).join()).toContain(from);
          return text.replaceAll(from, to);
        }, statement),
      );
    return answer;
  };
  const create = async (more: object = {}): Promise<string> =>
    (await host.tasks.create({ userId: 'alice', input: 'in', service: 'video', status: 10, ...more })).taskId;
  const claim = async (taskId: string) => (await host.tasks.claim({ taskId, lease: 60, workerId: 'w' }))[0];
  const fail = async (more: object = {}): Promise<string> => {
    const taskId = await create(more);
    const { leaseToken } = (await claim(taskId))!;
    await host.tasks.report(taskId, { leaseToken: leaseToken!, status: -10, error: 'no codec', ...more });
    return taskId;
  };
  const status = async (taskId: string): Promise<number> => (await host.tasks.get(taskId)).status;
  /** Claimed, once whoever keeps the order of the queue has seen it. */
  const claimed = (taskId: string) => until('it can be claimed', () => claim(taskId));

  it('1 to 4 show what is there', async () => {
    const [ready, started, failed] = [await create(), await create(), await fail()];
    await claim(started);
    const counts = await run(1);
    expect(counts.map((row: any) => [row.service, Number(row.status), Number(row.tasks)])).toEqual([
      ['video', -10, 1],
      ['video', 10, 1],
      ['video', 20, 1],
    ]);
    expect((await run(2)).map((row: any) => row.id)).toEqual([ready]);
    expect(await run(3)).toMatchObject([{ id: started, worker_id: 'w', attempts: 1 }]);
    expect(await run(4)).toMatchObject([{ id: failed, user_id: 'alice', attempts: 1, error: 'no codec' }]);
  });

  it('5 runs what failed again, with all its attempts', async () => {
    const taskId = await fail({ maxAttempts: 1 });
    await run(5);
    expect(await claimed(taskId)).toMatchObject({ taskId, attempts: 1, status: 20 });
  });

  it('6 takes a task from its worker, which can report nothing any more', async () => {
    const taskId = await create();
    const { leaseToken } = (await claim(taskId))!;
    await run(6, { '0193a1b2-0000-7000-8000-000000000000': taskId });
    expect(await claimed(taskId)).toMatchObject({ taskId, attempts: 2 });
    await expect(host.tasks.report(taskId, { leaseToken: leaseToken!, status: 30 })).rejects.toMatchObject({
      errorName: 'LEASE_LOST',
    });
  });

  it('7 tells who floods, and cancels what has not begun', async () => {
    const [ready, later, other] = [
      await create(),
      await create({ status: undefined, runAt: new Date(Date.now() + 3600_000) }),
      await create({ userId: 'bob' }),
    ];
    await run(7);
    expect([await status(ready), await status(later), await status(other)]).toEqual([-20, -20, 10]);
    expect(await claim(ready)).toBeUndefined();
  });

  it('8 wakes what rests', async () => {
    const taskId = await fail({ retry: true, delay: 3600 });
    expect(await status(taskId)).toBe(5);
    await run(8);
    expect(await claimed(taskId)).toMatchObject({ taskId, attempts: 2 });
  });

  it('9 tells where callbacks go', async () => {
    expect((await run(9))[0]).toMatchObject({ origin: 'http://127.0.0.1:1', state: 'pending' });
  });

  it('10 deletes what ended long ago, and nothing else', async () => {
    const [old, ready] = [await fail(), await create()];
    await sql(`UPDATE tasks SET finished_at = '2025-01-01 00:00:00' WHERE id = '${old}'`);
    await run(10);
    await expect(host.tasks.get(old)).rejects.toMatchObject({ errorName: 'NOT_FOUND' });
    expect(await status(ready)).toBe(10);
  });
});
