import { describe, expect, it } from '@jest/globals';
import { TaskApiError } from '../../../../src/client/index.js';
import { Reporter } from '../../../../src/client/worker/reporter.js';
import type { Verdict, WorkReport } from '../../../../src/client/worker/work-source.js';
import { until } from '../../../support/until.js';

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

  it('sends on what an answer had no room for, without a rest, and rests where nothing was heard', async () => {
    const again: Verdict = { kind: 'again', error: new TaskApiError('full', { httpStatus: 200, retryAfter: 3600 }) };
    const one = (reports: WorkReport[]): Promise<Verdict[]> =>
      Promise.resolve(reports.map((_, index) => (index === 0 ? { kind: 'taken' } : again)));
    const { told, reporter: patient, sent } = reporter(one);
    const verdicts = await Promise.all([1, 2, 3, 4].map((n) => patient.say(report(n))));
    expect(verdicts.map(({ kind }) => kind)).toEqual(Array(4).fill('taken'));
    expect([sent(), told]).toEqual([4, []]);
    patient.close();
    const { told: heard, reporter: other } = reporter(() => Promise.resolve([again]));
    const said = other.say(report(0));
    await until('it rests', () => heard.length > 0);
    other.close();
    expect([await said, heard]).toMatchObject([{ kind: 'refused' }, ['unreachable: full']]);
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
    const said = performance.now();
    const { sentAt } = await one.say(report(0));
    one.close();
    expect(sentAt).toBeGreaterThanOrEqual(said);
    expect(sentAt).toBeLessThanOrEqual(times[0]!);
  });

  /** Reports of 60 tasks at once, through a queue that throws as it is told; answers the sizes of the requests. */
  async function sizesOf(fail: (reports: WorkReport[], requests: number) => Error | undefined) {
    const sizes: number[] = [];
    const { reporter: one } = reporter((reports) => {
      const error = fail(reports, sizes.push(reports.length));
      return error ? Promise.reject(error) : take(reports);
    });
    const verdicts = await Promise.all(Array.from({ length: 60 }, (_, n) => one.say(report(n))));
    one.close();
    return { sizes, verdicts: verdicts.map(({ kind }) => kind) };
  }

  it.each([
    [500, 14012],
    [501, 0],
    [404, 0],
    [430, 10001],
  ])('asks a queue that fails with %d, code %d, no more often for that', async (httpStatus, code) => {
    const error = new TaskApiError('broken', { httpStatus, code });
    const { sizes, verdicts } = await sizesOf((_, requests) => (requests === 1 ? error : undefined));
    expect(new Set(verdicts)).toEqual(new Set(['taken']));
    expect(sizes).toEqual(httpStatus < 500 ? [60, 60] : [60, 30, 30]);
  });

  it.each([
    ['refused', new TaskApiError('bad', { httpStatus: 413 })],
    ['that a bug of the queue trips over', new TaskApiError('bug', { httpStatus: 500, code: 14012 })],
  ])('finds the one among sixty that is %s', async (_, error) => {
    let seen = 0;
    const { sizes, verdicts } = await sizesOf((reports) => {
      if (!reports.some(({ taskId }) => taskId === 'task-17')) return undefined;
      // A bug that is mended once the others are through.
      if (error.httpStatus === 500 && reports.length === 1 && seen++ > 0) return undefined;
      return error;
    });
    expect(verdicts.filter((kind) => kind === 'taken')).toHaveLength(error.httpStatus === 500 ? 60 : 59);
    expect(sizes.length).toBeLessThan(16);
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
