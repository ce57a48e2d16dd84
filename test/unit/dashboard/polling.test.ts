import { describe, expect, it } from '@jest/globals';
import { Polling, type PollState } from '../../../src/dashboard/app/api/polling.js';

/** A clock that stands still until it is told. */
class Clock {
  time = 0;
  private timers: { at: number; call: () => void }[] = [];

  later = (ms: number, call: () => void): (() => void) => {
    const timer = { at: this.time + ms, call };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((other) => other !== timer);
    };
  };

  async pass(ms: number): Promise<void> {
    const end = this.time + ms;
    for (;;) {
      const [next] = this.timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (!next) break;
      this.timers = this.timers.filter((timer) => timer !== next);
      this.time = next.at;
      next.call();
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    }
    this.time = end;
  }
}

describe('polling', () => {
  const open = () => {
    const clock = new Clock();
    const calls: [name: string, time: number][] = [];
    const states: PollState[] = [];
    let isGone = false;
    const polling = new Polling({
      everyMs: 2000,
      mostMs: 30_000,
      now: () => clock.time,
      later: clock.later,
      goneMessage: (error) => (error === 'gone' ? 'gone' : undefined),
      onState: (state) => states.push(state),
    });
    const poll = (name: string) => ({
      run: () => {
        calls.push([name, clock.time]);
        return isGone ? Promise.reject('gone') : Promise.resolve();
      },
    });
    return { clock, calls, states, polling, poll, setGone: (gone: boolean) => (isGone = gone) };
  };

  it('runs one that wants to be rare when it is due, and the others in between', async () => {
    const { clock, calls, polling, poll } = open();
    polling.add(poll('often'));
    polling.add({ ...poll('rare'), everyMs: 10_000 });
    await clock.pass(21_000);
    expect(calls.filter(([name]) => name === 'rare').map(([, time]) => time)).toEqual([0, 12_000]);
    expect(calls.filter(([name]) => name === 'often').length).toBe(10);
    expect(calls.slice(1).every(([, time], index) => index === 0 || time - calls[index]![1] >= 2000)).toBe(true);
  });

  it('sends nothing while nothing is due', async () => {
    const { clock, calls, polling, poll } = open();
    polling.add({ ...poll('rare'), everyMs: 60_000 });
    await clock.pass(119_000);
    expect(calls).toEqual([
      ['rare', 0],
      ['rare', 60_000],
    ]);
  });

  it('runs polls in turns, with 2 s between two requests however many there are', async () => {
    const { clock, calls, polling, poll } = open();
    polling.add(poll('a'));
    polling.add(poll('b'));
    await clock.pass(9000);
    // Each runs at once when it is new.
    expect(calls).toEqual([
      ['a', 0],
      ['b', 0],
      ['a', 2000],
      ['b', 4000],
      ['a', 6000],
      ['b', 8000],
    ]);
  });

  it('ends a poll, and runs one now that is asked for', async () => {
    const { clock, calls, polling, poll } = open();
    const a = poll('a');
    const remove = polling.add(a);
    await clock.pass(2500);
    polling.now(a);
    await clock.pass(100);
    expect(calls.map(([, time]) => time)).toEqual([0, 2000, 2500]);
    remove();
    await clock.pass(10_000);
    expect(calls).toHaveLength(3);
  });

  it('sends nothing while nobody looks, and goes on afterwards', async () => {
    const { clock, calls, polling, poll } = open();
    polling.add(poll('a'));
    await clock.pass(2100);
    polling.pause();
    await clock.pass(60_000);
    expect(calls).toHaveLength(2);
    polling.add(poll('b'));
    await clock.pass(60_000);
    expect(calls).toHaveLength(2);
    polling.resume();
    await clock.pass(0);
    expect(calls.at(-1)).toEqual(['b', 122_100]);
  });

  it('waits longer and longer while the server is gone, says so, and tries at once when told', async () => {
    const { clock, calls, states, polling, poll, setGone } = open();
    setGone(true);
    polling.add(poll('a'));
    await clock.pass(120_000);
    expect(calls.map(([, time]) => time)).toEqual([0, 2000, 6000, 14_000, 30_000, 60_000, 90_000, 120_000]);
    expect(states.at(-1)).toEqual({ failures: 8, message: 'gone', nextAt: 150_000 });
    setGone(false);
    await clock.pass(1000);
    polling.retry();
    await clock.pass(2500);
    expect(calls.slice(8).map(([, time]) => time)).toEqual([121_000, 123_000]);
    expect(states.at(-1)).toMatchObject({ failures: 0, message: '' });
  });
});
