import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { STATUS, TaskClient, type TaskStopped, TaskWorker } from '../../../../src/client/index.js';
import { LeaseKeeper } from '../../../../src/client/worker/lease-keeper.js';
import { LossyProxy } from '../../../chaos/fixtures/proxy.js';
import { type Host, startHost, WORKER_TOKEN } from '../../../support/host.js';
import { until } from '../../../support/until.js';

/** Blocks the event loop for so long, and leaves the processor to others. */
const block = (ms: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('a lease that runs out while the line is cut', () => {
  let host: Host;
  let proxy: LossyProxy;
  let user: TaskClient;
  beforeAll(async () => {
    host = await startHost({ engine: 'sqlite', adapter: 'express' });
    proxy = await LossyProxy.start(host.url);
    user = new TaskClient({ baseUrl: host.url, headers: { 'x-user': 'alice' } });
  });
  afterAll(async () => {
    proxy?.close();
    host?.app.getHttpServer().closeAllConnections();
    await host?.close();
  });

  it('is lost to its handler, once; its words are dropped, and its place is free when it returns', async () => {
    const { taskId } = await user.create({ input: 'in', service: 'cut', status: STATUS.BEGIN });
    const lost: unknown[] = [];
    const reasons: unknown[] = [];
    const settings = { token: WORKER_TOKEN, service: 'cut', wait: 1, lease: 3 };
    const cut = new TaskWorker({
      ...settings,
      baseUrl: proxy.url,
      handler: async ({ task, progress, signal, checkpoint }) => {
        if (task.attempt > 1) return `again from ${checkpoint}`;
        progress(10, 'seen');
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        reasons.push((signal.reason as TaskStopped).reason);
        progress(90, 'too late');
        return 'too late';
      },
    });
    cut.on('lost', (event) => lost.push(event.reason));
    const run = cut.run();
    await until('it is under way', async () => (await user.get(taskId)).temp === 'seen');
    proxy.mischief = 'swallow';
    const before = performance.now();
    await until('it is lost', () => lost.length > 0);
    // A lease, what the sweeper may take, and two looks; counted from a heartbeat before the cut at the earliest.
    expect(performance.now() - before).toBeGreaterThan(2000);
    expect(performance.now() - before).toBeLessThan(60_000);
    expect(reasons).toEqual(['lost']);
    await until('the queue has it back', async () => (await user.get(taskId)).status === STATUS.BEGIN);
    expect(await user.get(taskId)).toMatchObject({ progress: 10, temp: 'seen' });
    proxy.mischief = 'none';
    // The one place that it has takes it again.
    const { output } = await user.waitFor(taskId, { timeout: 120, interval: 0.2 });
    expect(output).toBe('again from seen');
    await cut.close();
    await run;
    expect(lost).toEqual(['lost']);
  });
});

describe('the keeper of leases', () => {
  const lessee = (heldAt: number) => ({
    saidAt: performance.now(),
    heldAt,
    said: [] as string[],
    renew() {
      this.saidAt = performance.now();
      this.said.push('renew');
    },
    stop(reason: string) {
      this.said.push(reason);
    },
  });

  it('gives up what nobody answered for, when the queue must have seen it', () => {
    jest.useFakeTimers();
    const now = performance.now();
    const [old, young] = [lessee(now - 5100), lessee(now - 4000)];
    const keeper = new LeaseKeeper(0.2, 3, () => [old, young].filter(({ said }) => !said.includes('lost')));
    keeper.start();
    jest.advanceTimersByTime(400);
    keeper.stop();
    jest.useRealTimers();
    expect(old.said).toEqual(['lost']);
    expect(young.said).toContain('renew');
    expect(young.said).not.toContain('lost');
  });

  it('waits for a second look: after a blocked event loop an answer may be there, unread', async () => {
    const one = lessee(performance.now());
    const keeper = new LeaseKeeper(0.4, 3, () => [one]);
    keeper.start();
    // As a handler would, past the end of a lease; a heartbeat that left before it is answered when it ends.
    setTimeout(() => {
      one.heldAt = performance.now() - 4900;
      block(300);
      setTimeout(() => (one.heldAt = performance.now() - 2900), 20);
    }, 10);
    await until('a renewal', () => one.said.length > 0);
    await pause(400);
    keeper.stop();
    expect(one.said).not.toContain('lost');
    expect(one.said).toContain('renew');
  });
});
