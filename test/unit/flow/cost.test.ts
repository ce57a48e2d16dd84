import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Look } from '../../../src/queue/stores/low-water.js';
import { Poller } from '../../../src/polling/poller.js';
import type { Task } from '../../../src/index.js';
import { type Host, PLACES, spread, startHost } from '../../support/host.js';
import { Recorder } from './fixtures/recorder.js';

const RATE = { max: 1, per: 86_400, burst: 1 };
const LIMITED = { services: { gpu: { maxRunning: 1 }, api: { rate: RATE }, off: { paused: true } } };

/** All that can happen to tasks of a service. */
async function lives({ tasks }: Host, isById: boolean): Promise<void> {
  const service = 'free';
  const { claim, report } = {
    claim: async (options: object): Promise<Task> => (await tasks.claim(options))[0]!,
    report: ({ taskId, leaseToken }: Task, values: object) =>
      tasks.report(taskId, { leaseToken: leaseToken!, ...values }),
  };
  const create = () => tasks.create({ userId: 'u', input: 'x', service, status: 10 });
  for (const end of [
    { status: 30, output: 'y' },
    { status: 10 },
    { status: -10, retry: true },
    { status: -10 },
    undefined,
  ]) {
    const { taskId } = await create();
    const filters = isById ? [{ taskId }] : [{ service }, {}];
    for (const filter of filters) {
      const task = await claim(filter);
      await report(task, { progress: 50 });
      if (end) await report(task, end);
      else await tasks.cancel(task.taskId);
      if (filter !== filters.at(-1)) await create();
    }
    expect(await tasks.claim({ service: 'nothing-there' })).toEqual([]);
  }
}

const ROUNDS = 3;

/**
 * What every round cost. A single one may cost more: MySQL plans by its guess of rows, which counts deleted ones until
 * they are purged.
 */
const least = (rounds: Recorder[]): Record<string, number> =>
  Object.fromEntries(
    Object.keys(rounds[0]!.counters)
      .map((name) => [name, Math.min(...rounds.map(({ counters }) => counters[name] ?? 0))] as const)
      .filter(([, count]) => count > 0),
  );

describe.each(PLACES)('services without limits on $engine', (where) => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  it.each([false, true])('cost what they cost where no service has one (by id: %s)', async (isById) => {
    const found: { texts: string[]; least: Record<string, number> }[] = [];
    for (const options of [{}, LIMITED]) {
      // What a process looks for by itself is no cost of a task.
      jest.spyOn(Poller.prototype as any, 'look').mockResolvedValue(undefined as never);
      // Where a look begins depends on how quick the last one was.
      jest.spyOn(Look.prototype, 'start', 'get').mockReturnValue(undefined);
      const host = await startHost({ ...where, options });
      // The engine plans anew once it has met the rows.
      await lives(host, isById);
      const rounds: Recorder[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        const recorder = new Recorder(host, true);
        await lives(host, isById);
        recorder.stop();
        rounds.push(recorder);
      }
      found.push({ texts: rounds[0]!.texts, least: least(rounds) });
      await host.close();
      jest.restoreAllMocks();
    }
    const [plain, limited] = found;
    // A claim by id must not take a task of a limited service.
    const texts = limited!.texts.map((text) => text.replace(/ AND service NOT IN \([^)]*\)/, ''));
    expect(texts.filter((text, place) => text !== plain!.texts[place])).toEqual([]);
    expect(texts).toHaveLength(plain!.texts.length);
    expect(limited!.least).toEqual(plain!.least);
    if (where.engine !== 'sqlite') expect(Object.keys(plain!.least).length).toBeGreaterThan(3);
  });
});

const POLLS = 200;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe.each(spread(import.meta))(`${POLLS} waiting claims on $engine`, (where) => {
  let host: Host;
  let texts: string[];
  beforeAll(async () => {
    host = await startHost({ ...where, options: LIMITED });
    for (const service of ['gpu', 'api', 'off'])
      await host.tasks.createMany(Array.from({ length: 20 }, () => ({ userId: 'u', input: 'x', service, status: 10 })));
    for (const service of ['gpu', 'api']) expect(await host.tasks.claim({ service, limit: 5 })).toHaveLength(1);
    ({ texts } = new Recorder(host));
  });
  afterAll(async () => {
    await host?.close();
  });

  /** Statements in two seconds, and claims that tried once more. */
  async function waiting(filter: object): Promise<{ statements: number; tries: number }> {
    const { groupCommit } = (host.tasks as any).queue;
    const ends = new AbortController();
    const claims = Array.from({ length: POLLS }, () => host.tasks.claim({ ...filter, wait: 30, signal: ends.signal }));
    await pause(500);
    const run = jest.spyOn(groupCommit, 'run');
    texts.length = 0;
    await pause(2000);
    const [statements, tries] = [texts.length, run.mock.calls.length];
    run.mockRestore();
    ends.abort();
    expect((await Promise.all(claims)).flat()).toEqual([]);
    return { statements, tries };
  }

  it('of a service that is full, paused, or without starts cost no more than of an empty one', async () => {
    const empty = await waiting({ service: 'nothing-there' });
    const found: Record<string, unknown> = { empty };
    for (const [why, filter] of Object.entries({
      full: { service: 'gpu' },
      rate: { service: 'api' },
      paused: { service: 'off' },
      any: {},
    })) {
      const { statements, tries } = await waiting(filter);
      found[why] = { statements, tries };
      expect([why, tries]).toEqual([why, 0]);
      expect(statements).toBeLessThanOrEqual(empty.statements * 1.5 + 10);
    }
    process.stdout.write(`  ${where.engine}: ${JSON.stringify(found)}\n`);
  });
});
