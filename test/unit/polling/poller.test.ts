import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { type Interval, Poller } from '../../../src/polling/poller.js';
import { until } from '../../support/until.js';

/** A job whose looks the test ends. */
class Looks {
  readonly name = 'counting sheep';
  readonly ends: ((found: boolean) => void)[] = [];
  readonly failures: ((error: Error) => void)[] = [];
  isOver: () => boolean = () => false;

  constructor(readonly interval: Interval) {}

  run(isOver: () => boolean): Promise<boolean> {
    this.isOver = isOver;
    return new Promise((resolve, reject) => {
      this.ends.push(resolve);
      this.failures.push(reject);
    });
  }

  /** The look with this number has begun. */
  begun = (number: number): Promise<unknown> => until(`look ${number}`, () => this.ends.length === number);
}

const HOUR = 3_600_000;

describe('a poller', () => {
  afterEach(() => void jest.restoreAllMocks());

  it('looks one at a time, soon again after a find', async () => {
    const looks = new Looks({ shortest: 5, longest: HOUR, growth: HOUR });
    const poller = new Poller(looks);
    poller.start();
    await looks.begun(1);
    poller.start();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(looks.ends).toHaveLength(1);
    looks.ends[0]!(true);
    await looks.begun(2);
    looks.ends[1]!(false);
    await new Promise((resolve) => setTimeout(resolve, 50));
    // Nothing found: an hour until the next one.
    expect(looks.ends).toHaveLength(2);
    await poller.stop();
  });

  it('looks when it is woken, and once more where that came during a look', async () => {
    const looks = new Looks({ shortest: HOUR, longest: HOUR });
    const poller = new Poller(looks);
    poller.wake();
    poller.start();
    poller.wake();
    await looks.begun(1);
    poller.wake();
    poller.wake();
    looks.ends[0]!(false);
    await looks.begun(2);
    looks.ends[1]!(false);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(looks.ends).toHaveLength(2);
    await poller.stop();
  });

  it('rests until it is started again', async () => {
    const looks = new Looks({ shortest: 1, longest: 1 });
    const poller = new Poller(looks);
    poller.start();
    await looks.begun(1);
    poller.rest();
    looks.ends[0]!(true);
    poller.wake();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(looks.ends).toHaveLength(1);
    poller.start();
    await looks.begun(2);
    looks.ends[1]!(true);
    await poller.stop();
  });

  it('ends with the look that is under way, which is told so, and never looks again', async () => {
    const looks = new Looks({ shortest: 1, longest: 1 });
    const poller = new Poller(looks);
    poller.start();
    await looks.begun(1);
    let isStopped = false;
    const stopped = poller.stop().then(() => (isStopped = true));
    expect(looks.isOver()).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(isStopped).toBe(false);
    looks.ends[0]!(true);
    await stopped;
    poller.start();
    poller.wake();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(looks.ends).toHaveLength(1);
  });

  it('logs an outage once, goes on, and logs the next one again', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    const looks = new Looks({ shortest: 1, longest: 2 });
    const poller = new Poller(looks);
    poller.start();
    for (const [number, outcome] of ['fails', 'fails', 'works', 'fails'].entries()) {
      await looks.begun(number + 1);
      if (outcome === 'fails') looks.failures[number]!(new Error('no database'));
      else looks.ends[number]!(false);
    }
    await looks.begun(5);
    looks.ends[4]!(false);
    await poller.stop();
    const line = 'counting sheep failed and will be repeated: no database';
    expect(warn.mock.calls.map(([said]) => said)).toEqual([line, line]);
  });
});
