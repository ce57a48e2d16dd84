import { monitorEventLoopDelay } from 'node:perf_hooks';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import type { ServiceSettings } from '../../../src/index.js';
import { type Change, concurrency, excess, ownConcurrency, readLog, startLog } from '../../chaos/fixtures/flow-log.js';
import { type Host, spread, startHost } from '../../support/host.js';
import { until } from '../../support/until.js';

const OPTIONS = { operatorTokens: ['an-operator-token-0123456789'] };
const OWNERS = ['a', 'b', 'c'];
/** Claims of each process that work at the same time. */
const LANES = 5;
/** Every process knows a change after this time. */
const KNOWN = 1000;
/** Milliseconds for which each limit is looked at from then on. */
const LOOKED_AT = 700;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A limit that was set, and what must be true of what runs from one time to another, in microseconds. */
interface Phase {
  settings: object;
  from: number;
  to: number;
}

describe.each(spread(import.meta))('limits that are changed under load on $engine', (where) => {
  /** The first one sets them. The others only work, as processes of their own. */
  let hosts: Host[];
  let changes: Change[];
  beforeEach(async () => {
    const first = await startHost({ ...where, options: { ...OPTIONS, table: 'tasks' } });
    hosts = [first];
    for (let more = where.engine === 'sqlite' ? 0 : 2; more > 0; more--)
      hosts.push(await startHost({ ...where, database: first.database, options: OPTIONS }));
    await startLog(first.app.get(DataSource), where.engine);
  });
  afterEach(async () => {
    for (const host of hosts.toReversed()) await (host === hosts[0] ? host.close() : host.app.close());
  });

  const query = (text: string): Promise<any> => hosts[0]!.app.get(DataSource).query(text);
  const load = async (count: number): Promise<void> => {
    const tasks = Array.from({ length: count }, (_, n) => ({
      userId: OWNERS[n % 3]!,
      input: 'x',
      service: 'x',
      status: 10,
    }));
    for (let from = 0; from < count; from += 500) await hosts[0]!.tasks.createMany(tasks.slice(from, from + 500));
  };
  /** Microseconds, as the log has them. */
  const now = async (): Promise<number> => {
    await query(`UPDATE tasks SET status = 20 WHERE id = 'clock'`);
    await query(`UPDATE tasks SET status = 0 WHERE id = 'clock'`);
    const [row] = await query(`SELECT MAX(at) AS at FROM flow_log WHERE service = 'clock'`);
    return Number(row.at);
  };
  /** Milliseconds that the slowest of many reads takes in this time. */
  async function slowestDuring(ms: number): Promise<number> {
    let slowest = 0;
    for (const end = performance.now() + ms; performance.now() < end; await pause(20)) {
      const start = performance.now();
      await query('SELECT 1');
      slowest = Math.max(slowest, performance.now() - start);
    }
    return slowest;
  }
  const runningNow = async (): Promise<number> =>
    Number((await query(`SELECT COUNT(*) AS n FROM tasks WHERE service = 'x' AND status = 20`))[0].n);

  /** Works until it is told to end, with each of these settings in turn. Returns when each was in force. */
  async function underLoad(steps: { settings: ServiceSettings; seen?: number }[]): Promise<Phase[]> {
    await query(`INSERT INTO tasks (id, user_id, service, status, input) VALUES ('clock', 'clock', 'clock', 0, 'x')`);
    await load(1500);
    const delay = monitorEventLoopDelay({ resolution: 5 });
    let isOver = false;
    let [starts, ends] = [0, 0];
    const lane = async ({ tasks }: Host): Promise<void> => {
      while (!isOver) {
        const [task] = await tasks.claim({ service: 'x', wait: 1 });
        if (!task) continue;
        starts += 1;
        await pause(20 + Math.random() * 60);
        await tasks.report(task.taskId, { leaseToken: task.leaseToken!, status: 30 });
        ends += 1;
        await load(1);
      }
    };
    const lanes = hosts.flatMap((host) => Array.from({ length: LANES }, () => lane(host)));
    const phases: Phase[] = [];
    for (const { settings, seen } of steps) {
      delay.reset();
      delay.enable();
      await hosts[0]!.tasks.operator.setService('x', settings);
      const set = await now();
      const slowest = await slowestDuring(KNOWN);
      delay.disable();
      // A process that stood still, or whose look took long, could not know of it.
      const late = delay.max / 1000 + slowest * 2000;
      await pause(LOOKED_AT + late / 1000);
      phases.push({ settings, from: set + KNOWN * 1000 + late, to: await now() });
      // What is raised or removed is used.
      if (seen !== undefined) await until(`${seen} run`, async () => (await runningNow()) >= seen);
    }
    isOver = true;
    await Promise.all(lanes);
    // Nothing was killed: each report counted.
    expect(ends).toBe(starts);
    changes = (await readLog(hosts[0]!.app.get(DataSource), where.engine)).filter(({ service }) => service === 'x');
    expect(changes.filter(({ step }) => step === 1)).toHaveLength(starts);
    return phases;
  }

  /** The changes of a phase; what runs at its begin comes first. */
  function during({ from, to }: Phase): Change[] {
    const running: Change[] = [];
    for (const change of changes.filter(({ at }) => at < from))
      if (change.step === 1) running.push(change);
      else
        running.splice(
          running.findIndex(({ owner }) => owner === change.owner),
          1,
        );
    return [...running, ...changes.filter(({ at }) => at >= from && at <= to)];
  }

  const figures = (found: unknown): unknown =>
    process.env.TEST_FIGURES && process.stdout.write(`    ${where.engine}: ${JSON.stringify(found)}\n`);

  it('hold for what runs', async () => {
    const phases = await underLoad([
      { settings: { maxRunning: 4 } },
      { settings: { maxRunning: 1 } },
      { settings: { maxRunning: 3 }, seen: 3 },
      { settings: { maxRunning: null }, seen: 4 },
      { settings: { maxRunning: 2 } },
    ]);
    const limits = [4, 1, 3, Infinity, 2];
    const found = phases.map((phase, place) => ({
      limit: limits[place],
      ...concurrency(during(phase), limits[place]!),
    }));
    figures(found);
    for (const { most, limit } of found) expect(most).toBeLessThanOrEqual(limit!);
  });

  it('hold for what runs of an owner', async () => {
    const phases = await underLoad([
      { settings: { maxRunningPerOwner: 2 } },
      { settings: { maxRunningPerOwner: 1 } },
      { settings: { maxRunningPerOwner: 3 }, seen: where.engine === 'sqlite' ? 4 : 7 },
      { settings: { maxRunningPerOwner: null } },
      { settings: { maxRunningPerOwner: 1 } },
    ]);
    const limits = [2, 1, 3, Infinity, 1];
    const found = phases.map((phase, place) => ({
      limit: limits[place],
      ...ownConcurrency(during(phase), limits[place]!),
    }));
    figures(found);
    for (const { most, limit } of found) expect(most).toBeLessThanOrEqual(limit!);
  });

  it('hold for starts', async () => {
    const rates = [
      { max: 20, per: 1, burst: 4 },
      { max: 5, per: 1, burst: 1 },
      { max: 40, per: 1, burst: 8 },
    ];
    const phases = await underLoad([...rates, null, rates[1]!].map((rate) => ({ settings: { rate } })));
    const found = phases.map((phase, place) => {
      const rate = [...rates, null, rates[1]!][place]!;
      const started = changes.filter(({ at, step }) => step === 1 && at >= phase.from && at <= phase.to);
      return { rate: rate?.max, starts: started.length, excess: rate ? excess(started, rate) : -Infinity };
    });
    figures(found);
    // The rows say milliseconds.
    for (const { excess: most, rate } of found) expect(most).toBeLessThanOrEqual((rate ?? 0) / 1000 + 0.001);
    expect(found[2]!.starts).toBeGreaterThan(found[1]!.starts);
  });
});
