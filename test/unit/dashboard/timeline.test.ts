import { describe, expect, it } from '@jest/globals';
import { timelineOf } from '../../../src/dashboard/app/pages/task/timeline.js';
import { TASK_STATUS, type TaskRole } from '../../../src/protocol/status.js';

const at = (second: number): string => `2026-03-01T10:00:${String(second).padStart(2, '0')}.000Z`;
const codeOf = (role: TaskRole): number => TASK_STATUS[role];
const attempt = (n: number, more: object = {}) => ({
  attempt: n,
  workerId: `gpu-${n}`,
  startedAt: at(n * 10),
  endedAt: at(n * 10 + 5),
  outcome: 'failed',
  error: 'CUDA',
  ...more,
});
const kinds = (task: object, attempts: object[] = []): string[] => {
  const whole = { createdAt: at(0), runAt: null, startedAt: null, finishedAt: null, attempt: 0, ...task };
  return timelineOf({ task: whole, attempts } as never, codeOf).map(({ kind, at: time, attempt: n, ms }) =>
    `${time.slice(17, 19)} ${kind} ${n ?? ''} ${ms ?? ''}`.trim(),
  );
};

describe('the life of a task', () => {
  it('begins with its creation', () => expect(kinds({ status: 0 })).toEqual(['00 created']));

  it('waits for its time, and is ready then', () => {
    expect(kinds({ status: 5, runAt: at(30) })).toEqual(['00 created', '30 due']);
    expect(kinds({ status: 10, runAt: at(30) })).toEqual(['00 created', '30 ready']);
  });

  it('has each attempt that failed, and the one that runs', () =>
    expect(
      kinds({ status: 20, startedAt: at(40), attempt: 4, runAt: at(38) }, [
        attempt(1),
        attempt(2, { outcome: 'leaseExpired' }),
        attempt(3, { outcome: 'released' }),
      ]),
    ).toEqual([
      '00 created',
      '15 failed 1 5000',
      '25 leaseExpired 2 5000',
      '35 released 3 5000',
      '38 ready',
      '40 running 4',
    ]));

  it('ends with how long the last attempt took', () =>
    expect(kinds({ status: 30, startedAt: at(20), finishedAt: at(50), attempt: 2 }, [attempt(1)])).toEqual([
      '00 created',
      '15 failed 1 5000',
      '20 started 2',
      '50 ended  30000',
    ]));

  it('tells the last failure once', () =>
    expect(kinds({ status: -10, startedAt: at(10), finishedAt: at(15), attempt: 1 }, [attempt(1)])).toEqual([
      '00 created',
      '15 failed 1 5000',
      '15 ended',
    ]));

  it('knows a status of the host as one in progress, and a cancel before any attempt', () => {
    expect(kinds({ status: 25, startedAt: at(10), attempt: 1 })).toEqual(['00 created', '10 running 1']);
    expect(kinds({ status: -20, finishedAt: at(9) })).toEqual(['00 created', '09 ended']);
  });
});
