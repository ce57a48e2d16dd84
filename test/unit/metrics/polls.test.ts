import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Host, PLACES, startHost } from '../../support/host.js';
import { samplesIn } from './fixtures/exposition.js';

const OPTIONS = {
  metrics: true,
  services: {
    plain: {},
    gpu: { maxRunning: 1 },
    api: { rate: { max: 1, per: 86_400, burst: 1 } },
    off: { paused: true },
  },
};

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe.each(PLACES)('polls by how they ended on $engine', (where) => {
  let host: Host;
  beforeAll(async () => {
    host = await startHost({ ...where, options: OPTIONS });
  });
  afterAll(async () => {
    await host?.close();
  });

  const create = (service: string, count = 1) =>
    host.tasks.createMany(Array.from({ length: count }, () => ({ userId: 'u', input: 'x', service, status: 10 })));
  const claim = (query: string, headers: Record<string, string> = {}) =>
    host.worker('GET', `/api/crontask?${query}`, { headers });
  const samples = async (name: string) =>
    samplesIn((await host.tasks.metrics.metricsText()).text).filter((each) => each.name === `softdd_task_poll_${name}`);
  /** Of each service and outcome: how many polls ended so. */
  const polls = async (): Promise<Record<string, number>> =>
    Object.fromEntries(
      (await samples('seconds_count')).map(({ labels, value }) => [`${labels.service} ${labels.outcome}`, value]),
    );
  const secondsOf = async (service: string, outcome: string): Promise<number> =>
    (await samples('seconds_sum')).find(({ labels }) => labels.service === service && labels.outcome === outcome)!
      .value;

  it('are counted by the reason that the answer names, and without a service as _any', async () => {
    for (const service of ['gpu', 'api', 'off']) await create(service, 2);
    for (const service of ['gpu', 'api']) await claim(`service=${service}`);
    const reasons: (string | null)[] = [];
    for (const query of ['service=gpu', 'service=gpu&limit=5', 'service=api', 'service=off', 'service=plain'])
      reasons.push((await claim(query)).headers.get('x-task-wait'));
    expect(reasons).toEqual(['limit', 'limit', 'rate', 'paused', null]);
    await create('plain');
    await claim('');
    await claim('taskId=none');
    expect(await polls()).toEqual({
      'gpu claimed': 1,
      'gpu limit': 2,
      'api claimed': 1,
      'api rate': 1,
      'off paused': 1,
      'plain empty': 1,
      '_any claimed': 1,
      '_any empty': 1,
    });
  });

  it('have the time of the whole wait', async () => {
    await claim('service=late&wait=1');
    expect(await secondsOf('late', 'empty')).toBeGreaterThan(0.9);
    await claim('service=off&wait=1');
    expect(await secondsOf('off', 'paused')).toBeGreaterThan(0.9);
    const waiting = host.tasks.claim({ service: 'late', wait: 30 });
    await pause(300);
    await create('late');
    expect(await waiting).toHaveLength(1);
    expect(await secondsOf('late', 'claimed')).toBeGreaterThan(0.25);
  });

  it('are not those that nobody hears the answer of, that are withdrawn, or refused', async () => {
    const before = await polls();
    await claim('service=plain&limit=0', { 'idempotency-key': 'withdrawn' });
    expect((await claim('service=plain&limit=-1')).body).toMatchObject({ data: { msg: 'invalid parameter' } });
    const gone = new AbortController();
    const waiting = host.tasks.claim({ service: 'plain', wait: 30, signal: gone.signal });
    await pause(50);
    gone.abort();
    expect(await waiting).toEqual([]);
    expect(await polls()).toEqual(before);
  });

  it('have a bounded number of services', async () => {
    for (let n = 0; n < 150; n++) await host.tasks.claim({ service: `invented-${n}` });
    const services = new Set((await samples('seconds_count')).map(({ labels }) => labels.service));
    // Those of the options, 100 more, the others, and claims without a service.
    expect(services.size).toBeLessThanOrEqual(Object.keys(OPTIONS.services).length + 1 + 100 + 2);
    expect((await polls())['_other empty']).toBeGreaterThan(40);
  });
});

it('are not measured while metrics are off', async () => {
  const host = await startHost({ ...PLACES[0]!, options: {} });
  try {
    expect((host.tasks as any).queue.hooks.afterPoll).toEqual([]);
  } finally {
    await host.close();
  }
});
