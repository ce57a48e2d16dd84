import { describe, expect, it } from '@jest/globals';
import { suspects, troublesOf, type Usual, usualOf } from '../../../src/dashboard/app/pages/overview/troubles.js';

const service = (name: string, { last60m = {}, ...more }: { last60m?: object } & Record<string, unknown>) =>
  ({
    service: name,
    oldestReadySeconds: null,
    ready: 0,
    owners: null,
    paused: false,
    ...more,
    last60m: { failed: 0, retried: 0, finished: 0, ...last60m },
  }) as never;
const NONE = { pending: 0, dead: 0, oldestPendingSeconds: null, deadOrigins: [] };
const FINE: Usual = { failures: 0, waitMs: 1000 };
const of = (services: never[], usual: Record<string, Usual> = {}, callbacks = NONE as never) => {
  const known = new Map(suspects(services).map((name) => [name, usual[name] ?? FINE]));
  return troublesOf({ services, callbacks }, known).map(({ kind, service: name }) => `${kind} ${name}`.trim());
};

describe('what is wrong', () => {
  it('is nothing in a queue that works', () =>
    expect(of([service('mail', { oldestReadySeconds: 60, last60m: { failed: 3, retried: 2 } })])).toEqual([]));

  it('begins with the worst', () =>
    expect(
      of(
        [
          service('paused', { paused: true, oldestReadySeconds: 9000 }),
          service('failing', { last60m: { failed: 6, finished: 1000 } }),
          service('flooded', {
            ready: 1000,
            owners: { lookedAt: 1000, list: [{ userId: 'bob', ready: 700, running: null }] },
          }),
          service('old', { oldestReadySeconds: 840 }),
        ],
        {},
        { ...NONE, dead: 3, deadOrigins: [{ origin: 'https://a.example', dead: 2 }] } as never,
      ),
    ).toEqual(['old old', 'failing failing', 'flood flooded', 'dead', 'dead', 'paused paused']));

  it('is not what is usual: twice as old, twice as many failures', () => {
    const slow = service('slow', { oldestReadySeconds: 600 });
    expect(of([slow], { slow: { failures: 0, waitMs: 300_000 } })).toEqual([]);
    expect(of([slow], { slow: { failures: 0, waitMs: 299_000 } })).toEqual(['old slow']);
    const flaky = service('flaky', { last60m: { failed: 10, retried: 10, finished: 1000 } });
    expect(of([flaky], { flaky: { failures: 10, waitMs: null } })).toEqual([]);
    expect(of([flaky], { flaky: { failures: 9, waitMs: null } })).toEqual(['failing flaky']);
  });

  it('is a service of which most attempts fail, however usual that has become', () =>
    expect(
      of([service('broken', { last60m: { failed: 50, finished: 49 } })], { broken: { failures: 500, waitMs: null } }),
    ).toEqual(['failing broken']));

  it('waits for what is usual', () =>
    expect(troublesOf({ services: [service('old', { oldestReadySeconds: 840 })], callbacks: NONE }, new Map())).toEqual(
      [],
    ));

  it('is no flood of few, of many owners, or of nobody', () => {
    const owned = (ready: number, list: { userId: string; ready: number }[]) =>
      of([
        service('mail', {
          ready,
          owners: { lookedAt: 1000, list: list.map((one) => ({ ...one, running: null })) },
        }),
      ]);
    expect(owned(999, [{ userId: 'bob', ready: 999 }])).toEqual([]);
    expect(owned(5000, [{ userId: 'bob', ready: 499 }])).toEqual([]);
    expect(owned(5000, [{ userId: '', ready: 1000 }])).toEqual([]);
    expect(owned(5000, [{ userId: 'bob', ready: 500 }])).toEqual(['flood mail']);
  });
});

describe('what is usual', () => {
  const hour = (failed: number, p95: number | null, finished = 1) =>
    ({ started: finished, finished, failed, retried: 0, waitMs: { mean: p95, p95 } }) as never;

  it('is the median of the hours in which something happened', () => {
    const quiet = Array.from({ length: 20 }, () => hour(0, null, 0));
    expect(usualOf({ points: [hour(1, 100), hour(2, 300), hour(900, 60_000), ...quiet] })).toEqual({
      failures: 2,
      waitMs: 300,
    });
  });

  it('is nothing where nothing has happened', () =>
    expect(usualOf({ points: [] })).toEqual({ failures: 0, waitMs: null }));
});
