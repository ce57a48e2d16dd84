import { describe, expect, it } from '@jest/globals';
import { Reporter } from '../../src/client/reporter.js';
import type { Verdict, WorkReport } from '../../src/client/work-source.js';
import { until } from '../support/until.js';

const report = (n: number, more: object = {}): WorkReport => ({
  taskId: `task-${n}`,
  leaseToken: `token-${n}`,
  ...more,
});

/** Sends by these, one after the other; the last one again and again. */
function reporter(...sends: ((reports: WorkReport[]) => Promise<Verdict[]>)[]) {
  const told: string[] = [];
  let sent = 0;
  const tell = {
    unreachable: (error: Error) => told.push(`unreachable: ${error.message}`),
    reachable: () => told.push('reachable'),
  };
  const send = (reports: WorkReport[]) => sends[Math.min(sent++, sends.length - 1)]!(reports);
  return { told, reporter: new Reporter(send, tell), sent: () => sent };
}
const take = (reports: WorkReport[]): Promise<Verdict[]> => Promise.resolve(reports.map(() => ({ kind: 'taken' })));

// An exception that left a timer, or a rejection that nobody heard, would end the process, and fail the test.
describe('the reporter', () => {
  it.each<[string, () => Promise<never>, string]>([
    [
      'throws',
      () => {
        throw new Error('bug');
      },
      'bug',
    ],

    ['rejects without a reason', () => Promise.reject(), 'undefined was thrown'],
  ])('says it again where the way to the queue %s', async (_, broken, reason) => {
    const { told, reporter: one } = reporter(broken, take);
    expect(await one.say(report(0))).toMatchObject({ kind: 'taken' });
    expect(told).toEqual([`unreachable: ${reason}`, 'reachable']);
    one.close();
  });

  it('outlives a report that can not be read', async () => {
    const { told, reporter: one } = reporter(take);
    const broken = Object.defineProperty(report(0), 'temp', {
      get: () => {
        throw new Error('unreadable');
      },
    });
    const said = one.say(broken);
    await until('a word of it', () => told.length > 0);
    one.close();
    expect(await said).toMatchObject({ kind: 'refused' });
    expect(told).toEqual(['unreachable: unreadable']);
  });

  it('sends what is null, for the queue to judge', async () => {
    const { reporter: one } = reporter(take);
    expect(await one.say(report(0, { temp: null }))).toMatchObject({ kind: 'taken' });
    one.close();
  });

  it('tells when the report was sent that was taken, not when it was said', async () => {
    const times: number[] = [];
    const { reporter: one } = reporter(
      () => Promise.resolve([{ kind: 'again', error: new Error('away') }]),
      (reports) => {
        times.push(performance.now());
        return new Promise((resolve) => setTimeout(() => resolve(take(reports)), 100));
      },
    );
    const { sentAt } = await one.say(report(0));
    one.close();
    expect(Math.abs(sentAt - times[0]!)).toBeLessThan(20);
  });

  it('says no more of a lease that is dropped, whether it waits or is under way', async () => {
    const { reporter: one, sent } = reporter(
      () => new Promise((resolve) => setTimeout(() => resolve([{ kind: 'again', error: new Error('away') }]), 100)),
    );
    const first = one.say(report(0, { progress: 1 }));
    await until('it is sent', () => sent() === 1);
    const second = one.say(report(0, { progress: 2 }));
    one.drop('token-0');
    expect((await second).kind).toBe('refused');
    expect((await first).kind).toBe('again');
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(sent()).toBe(1);
    one.close();
  });
});
