import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TASK_STATUS } from '../../src/index.js';
import { type Host, PLACES, startHost } from '../support/host.js';
import { until } from '../support/until.js';
import { finished, finishMany } from './fixtures/ends.js';
import { type Receiver, startReceiver } from './fixtures/receiver.js';

/** Tries at once of one origin. */
const AT_ONCE = 8;

describe.each(PLACES)('a receiver that hangs, on $engine with $adapter', (where) => {
  let hanging: Receiver;
  let quick: Receiver;
  let host: Host;
  beforeAll(async () => {
    hanging = await startReceiver(() => undefined);
    quick = await startReceiver();
    const callbackUrl = ({ service }: { service: string }) => (service === 'quick' ? quick.url : hanging.url);
    host = await startHost({ ...where, options: { callbackUrl, callbackTimeout: 60 } });
  });
  afterAll(async () => {
    // What hangs is let go, or the stop would wait for it.
    await hanging?.close();
    await host?.close();
    await quick?.close();
  });

  it('has so many tries at once and no more, and holds up no other receiver, no claim and no end', async () => {
    const crowd = await finishMany(host.tasks, 400);
    await until('it hangs', () => hanging.received.length === AT_ONCE);
    const times: number[] = [];
    const ids: string[] = [];
    for (let i = 0; i < 20; i++) {
      const start = performance.now();
      const taskId = await finished(host.tasks, { service: 'quick' });
      expect((await host.tasks.get(taskId)).status).toBe(TASK_STATUS.FINISHED);
      await until('delivered', () => quick.received.some(({ notice }) => notice.data.taskId === taskId));
      times.push(performance.now() - start);
      ids.push(taskId);
    }
    expect(quick.received.map(({ notice }) => notice.data.taskId)).toEqual(ids);
    expect(Math.max(...times)).toBeLessThan(1500);
    expect(hanging.received).toHaveLength(AT_ONCE);
    expect(hanging.connections()).toBe(AT_ONCE);
    // Of each state, with what it waits for: nothing is lost in the crowd.
    const { pending } = await host.tasks.callbacks.counts();
    expect(pending).toBe(crowd.length);
  });

  it('is served in its turn once it works again', async () => {
    hanging.answer = (response) => void response.end();
    hanging.cut();
    const counts = await until('all others are delivered', async () => {
      const found = await host.tasks.callbacks.counts();
      return found.pending === AT_ONCE ? found : undefined;
    });
    expect(counts.dead).toBe(0);
    const { list } = await host.tasks.callbacks.list({ state: 'pending' });
    expect(list.map(({ tries }) => tries.length)).toEqual(Array(AT_ONCE).fill(1));
  });
});

describe.each(PLACES)('many receivers that hang, on $engine with $adapter', (where) => {
  it('leave a bounded number of tries, and the process stops in time all the same', async () => {
    const receivers = await Promise.all(Array.from({ length: 10 }, () => startReceiver(() => undefined)));
    let next = 0;
    const callbackUrl = () => receivers[next++ % receivers.length]!.url;
    const host = await startHost({ ...where, options: { callbackUrl, callbackTimeout: 3 } });
    await finishMany(host.tasks, 200);
    const seen = (): number => receivers.reduce((sum, { received }) => sum + received.length, 0);
    await until('all places are taken', () => seen() >= 64);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(seen()).toBe(64);
    const start = performance.now();
    await host.close();
    // The tries under way had their time, and were written down.
    expect(performance.now() - start).toBeLessThan(9000);
    expect(seen()).toBe(64);
    await Promise.all(receivers.map((receiver) => receiver.close()));
  });
});
