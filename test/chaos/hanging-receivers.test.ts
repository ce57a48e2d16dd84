import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { TASK_STATUS, type TaskModuleOptions } from '../../src/index.js';
import { CallbackStore } from '../../src/callbacks/callback.store.js';
import { createDatabase } from '../support/databases.js';
import { type Host, PLACES, spread, startHost } from '../support/host.js';
import { until } from '../support/until.js';
import { finished, finishMany } from '../unit/callbacks/fixtures/ends.js';
import { type Receiver, startReceiver } from '../unit/callbacks/fixtures/receiver.js';

/** Of many: a machine that is busy elsewhere makes some of them late. */
const median = (times: number[]): number => times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)]!;

/** Tries at once of an origin that has answered nothing yet. */
const AT_ONCE = 2;

describe.each(spread(import.meta))('a receiver that hangs, on $engine with $adapter', (where) => {
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
    expect(Math.max(...times)).toBeLessThan(20_000);
    expect(hanging.received).toHaveLength(AT_ONCE);
    expect(hanging.connections()).toBe(AT_ONCE);
    // Nothing is lost in the crowd. What a receiver has got is written down a moment later.
    await until('the quick ones are written down', async () => {
      const { delivered } = await host.tasks.callbacks.counts();
      return delivered === ids.length;
    });
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

describe.each(spread(import.meta))('many receivers that hang, on $engine with $adapter', (where) => {
  it('leave a bounded number of tries, and the process stops in time all the same', async () => {
    const receivers = await Promise.all(Array.from({ length: 40 }, () => startReceiver(() => undefined)));
    let next = 0;
    const callbackUrl = () => receivers[next++ % receivers.length]!.url;
    const host = await startHost({ ...where, options: { callbackUrl, callbackTimeout: 3 } });
    await finishMany(host.tasks, 200);
    const seen = (): number => receivers.reduce((sum, { received }) => sum + received.length, 0);
    // The last sixteen are for those that have none.
    await until('all places are taken', () => seen() >= 48);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const taken = seen();
    expect(taken).toBeLessThanOrEqual(64);
    expect(Math.max(...receivers.map(({ received }) => received.length))).toBe(AT_ONCE);
    const start = performance.now();
    await host.close();
    // The tries under way had their time, and were written down.
    expect(performance.now() - start).toBeLessThan(30_000);
    expect(seen()).toBe(taken);
    await Promise.all(receivers.map((receiver) => receiver.close()));
  });
});

describe.each(spread(import.meta))(
  'receivers that hang, more than there are places, on $engine with $adapter',
  (where) => {
    it('hold up none that works, once it is known that they hang', async () => {
      const said = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
      const hanging = await Promise.all(Array.from({ length: 40 }, () => startReceiver(() => undefined)));
      const quick = await startReceiver();
      let next = 0;
      const callbackUrl = ({ service }: { service: string }) =>
        service === 'quick' ? quick.url : hanging[next++ % hanging.length]!.url;
      const callbackRetry = { delays: Array(50).fill(0.5) as number[], jitter: 0 };
      const host = await startHost({ ...where, options: { callbackUrl, callbackTimeout: 4, callbackRetry } });
      try {
        // Enough for each of them to fill all places that it may have, from now to the end.
        await finishMany(host.tasks, 600);
        const failing = (): number => said.mock.calls.filter(([line]) => String(line).includes('no answer')).length;
        await until('all have failed', () => failing() === hanging.length);
        const times: number[] = [];
        for (let i = 0; i < 30; i++) {
          const start = performance.now();
          const taskId = await finished(host.tasks, { service: 'quick' });
          await until('delivered', () => quick.received.some(({ notice }) => notice.data.taskId === taskId));
          times.push(performance.now() - start);
        }
        // Half of a try that hangs: they don't wait for one to end.
        expect(median(times)).toBeLessThan(2000);
      } finally {
        said.mockRestore();
        await Promise.all(hanging.map((receiver) => receiver.close()));
        await host.close();
        await quick.close();
      }
    });

    it('one after the other, are no reason to look at the queues of all others again', async () => {
      const hanging = await Promise.all(Array.from({ length: 6 }, () => startReceiver(() => undefined)));
      const callbackUrl = ({ service }: { service: string }) => hanging[Number(service)]!.url;
      const looks: { full: string[]; isWhole: boolean; found: number; at: number }[] = [];
      const { due } = CallbackStore.prototype;
      const spy = jest.spyOn(CallbackStore.prototype, 'due').mockImplementation(function* (
        this: CallbackStore,
        ...given
      ) {
        const found = yield* due.apply(this, given);
        looks.push({ full: given[0], isWhole: given[2] === undefined, found: found.length, at: performance.now() });
        return found;
      });
      const host = await startHost({ ...where, options: { callbackUrl, callbackTimeout: 60 } });
      try {
        for (const [index, receiver] of hanging.entries()) {
          await Promise.all(Array.from({ length: AT_ONCE + 2 }, () => finished(host.tasks, { service: `${index}` })));
          await until('it hangs', () => receiver.received.length === AT_ONCE);
          await until(
            'only queues are left',
            () => looks.at(-1)!.found === 0 && looks.at(-1)!.full.length === index + 1,
          );
        }
        // After a look at everything that found but queues, those of the same half second look at what is new elsewhere.
        const others = looks.flatMap((whole, place) => {
          if (!whole.isWhole || whole.found > 0 || whole.full.length === 0) return [];
          const end = looks.findIndex(({ isWhole }, later) => later > place && isWhole);
          const since = looks.slice(place + 1, end < 0 ? undefined : end + 1);
          const isSoon = (at: number): boolean => at - whole.at < 500;
          return since.filter(
            ({ full, at }) =>
              isSoon(at) && full.length > whole.full.length && whole.full.every((origin) => full.includes(origin)),
          );
        });
        expect(others.length).toBeGreaterThan(0);
        expect(others.filter(({ isWhole }) => isWhole)).toEqual([]);
      } finally {
        spy.mockRestore();
        await Promise.all(hanging.map((receiver) => receiver.close()));
        await host.close();
      }
    });
  },
);

/** Answers 200 whatever comes, and takes its time: for its head, or for a body that nobody needs. */
const SLOW: Record<string, (response: ServerResponse) => void> = {
  'answer late': (response) => void setTimeout(() => response.end(), 4000),
  dribble: (response) => {
    response.writeHead(200).write('x');
    const timer = setInterval(() => response.write('x'), 200);
    response.on('close', () => clearInterval(timer));
  },
};

describe.each(spread(import.meta))('receivers that take all and are slow, on $engine with $adapter', (where) => {
  it.each(Object.keys(SLOW))('%s, and keep no other waiting for what they have still to get', async (kind) => {
    const slow = await Promise.all(Array.from({ length: 10 }, () => startReceiver(SLOW[kind])));
    const quick = await startReceiver();
    let next = 0;
    const callbackUrl = ({ service }: { service: string }) =>
      service === 'quick' ? quick.url : slow[next++ % slow.length]!.url;
    const host = await startHost({ ...where, options: { callbackUrl } });
    try {
      await finishMany(host.tasks, 600);
      // They have shown that they take what they get, and so get more at once.
      const seen = (): number => slow.reduce((sum, { received }) => sum + received.length, 0);
      await until('they are at work', () => seen() > 100);
      const times: number[] = [];
      for (let i = 0; i < 10; i++) {
        const start = performance.now();
        const taskId = await finished(host.tasks, { service: 'quick' });
        await until('delivered', () => quick.received.some(({ notice }) => notice.data.taskId === taskId));
        times.push(performance.now() - start);
        // The first one does not wait for all that the slow ones have still to get.
        if (i === 0) expect(seen()).toBeLessThan(600);
      }
      expect(median(times)).toBeLessThan(2000);
    } finally {
      await Promise.all(slow.map((receiver) => receiver.close()));
      await host.close();
      await quick.close();
    }
  });
});

describe('a process that stops while a receiver hangs', () => {
  it('gives its tries a while, breaks them off, and leaves them to others at once', async () => {
    const stops = PLACES.map(async (where) => {
      const database = await createDatabase(where.engine);
      const receiver = await startReceiver(() => undefined);
      const options: TaskModuleOptions = { callbackUrl: receiver.url, callbackTimeout: 60 };
      const first = await startHost({ ...where, database, options });
      const taskId = await finished(first.tasks);
      await until('it hangs', () => receiver.received.length === 1);
      const start = performance.now();
      await first.close();
      const seconds = (performance.now() - start) / 1000;
      receiver.answer = (response) => void response.end();
      const second = await startHost({ ...where, database, options });
      const callback = await until('delivered', async () => {
        const { list } = await second.tasks.callbacks.list({ taskId, state: 'delivered' });
        return list[0];
      });
      await second.close();
      await receiver.close();
      await database.drop();
      return { seconds, callback, ids: receiver.received.map(({ id }) => id) };
    });
    for (const { seconds, callback, ids } of await Promise.all(stops)) {
      expect(seconds).toBeGreaterThan(19);
      expect(seconds).toBeLessThan(40);
      expect(callback.tries).toMatchObject([{ error: 'broken off because the process stopped' }, { status: 200 }]);
      expect(ids).toEqual([callback.id, callback.id]);
      // What was broken off does not use up the schedule.
      expect(callback.attempts).toBe(1);
    }
  });
});
