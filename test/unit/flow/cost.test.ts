import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type Host, PLACES, spread, startHost } from '../../support/host.js';
import { expectAlike, measured } from './fixtures/measured.js';
import { Recorder } from './fixtures/recorder.js';

const RATE = { max: 1, per: 86_400, burst: 1 };
const LIMITED = { services: { gpu: { maxRunning: 1 }, api: { rate: RATE }, off: { paused: true } } };

describe.each(PLACES)('services without limits on $engine', (where) => {
  it.each([false, true])('cost what they cost where no service has one (by id: %s)', async (isById) => {
    const plain = await measured(where, isById, { options: {} });
    const limited = await measured(where, isById, { options: LIMITED });
    // A claim by id must not take a task of a limited service.
    const texts = limited.texts.map((text) => text.replace(/ AND service NOT IN \([^)]*\)/, ''));
    expectAlike(plain, { ...limited, texts });
    if (where.engine !== 'sqlite') expect(Object.keys(plain.least).length).toBeGreaterThan(3);
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
