import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { TASK_STATUS, type TaskStatusCatalogue } from '../../../src/index.js';
import { fromNow, NOW } from '../../../src/database/clock.js';
import * as transitions from '../../../src/queue/transitions.js';
import type { AttemptEnd } from '../../../src/queue/events.js';
import type { Rules, Transition, TransitionRow } from '../../../src/queue/transitions.js';

const { INIT, WAITING, BEGIN, START, FINISHED, ERROR, CANCELLED } = TASK_STATUS;

/** Without jitter, so that each pause is one value. */
const RULES: Rules = {
  status: TASK_STATUS as TaskStatusCatalogue,
  policy: { lease: 300, legacyLease: 43_200, maxAttempts: 3, backoff: { base: 10, max: 25, jitter: 0 } },
};

const row = (given: Partial<TransitionRow>): TransitionRow => ({
  status: BEGIN,
  attempts: 0,
  releases: 0,
  maxAttempts: null,
  leaseToken: null,
  leaseSeconds: null,
  finishedAt: null,
  uniqueKey: null,
  uniqueRule: null,
  ...given,
});
const running = row({ status: START, attempts: 1, leaseToken: 'token', leaseSeconds: 60 });
const legacy = { ...running, leaseToken: 'legacy-0123' };
const CLAIM = { token: 'new', lease: 60, workerId: 'w', claimKey: null };
const LEASE = { leaseSeconds: 60, leaseExpiresAt: fromNow(60), leaseToken: 'new' };
const RAN_AGAIN = { attempts: 0, releases: 0, progress: 0, error: null, runAt: null, finishedAt: null };
const WORDS = { progress: 120, temp: 't', output: 'o', error: 'e' };
const SAID = { progress: 100, temp: 't', output: 'o', error: 'e' };

const { claimed, claimedBySql, unclaimed, finished, failed, retried, released, renewed } = transitions;
const { madeReady, runAgain, cancelled, due, expired, leaseDropped } = transitions;

const CASES: [what: string, transition: Transition, event: string | undefined, values: object][] = [
  [
    'a claim',
    claimed(row({ attempts: 1 }), CLAIM, RULES),
    'started',
    { status: START, attempts: 2, ...LEASE, workerId: 'w', claimKey: null, startedAt: NOW },
  ],
  [
    'a claim of a failed task that plain SQL made ready',
    claimed(row({ attempts: 3, finishedAt: new Date() }), CLAIM, RULES),
    'started',
    { ...RAN_AGAIN, status: START, attempts: 1, ...LEASE, workerId: 'w', claimKey: null, startedAt: NOW },
  ],
  [
    'a running task that plain SQL took',
    claimedBySql(row({ status: START }), { token: 'legacy-1' }, RULES),
    'started',
    { attempts: 1, leaseSeconds: 43_200, leaseExpiresAt: fromNow(43_200), leaseToken: 'legacy-1', startedAt: NOW },
  ],
  [
    'a claim that nobody hears',
    unclaimed(running, RULES),
    'ready',
    { status: BEGIN, attempts: 0, leaseExpiresAt: null },
  ],
  [
    'the end',
    finished(running, { output: 'o' }, RULES),
    'finished',
    { status: FINISHED, progress: 100, output: 'o', error: null, finishedAt: NOW, leaseExpiresAt: null },
  ],
  [
    'a failure for good',
    failed(running, WORDS, RULES),
    'failed',
    { ...SAID, status: ERROR, finishedAt: NOW, leaseExpiresAt: null },
  ],
  [
    'a failure that may be retried',
    retried(running, { error: 'e' }, RULES),
    'waiting',
    { status: WAITING, runAt: fromNow(10), error: 'e', releases: 0, leaseExpiresAt: null },
  ],
  [
    'the second one, which rests for longer',
    retried({ ...running, attempts: 2 }, {}, RULES),
    'waiting',
    { status: WAITING, runAt: fromNow(20), releases: 0, leaseExpiresAt: null },
  ],
  [
    'one with a delay of nothing',
    retried(running, { delay: 0 }, RULES),
    'ready',
    { status: BEGIN, releases: 0, leaseExpiresAt: null },
  ],
  [
    'the last one',
    retried({ ...running, attempts: 3 }, { error: 'e' }, RULES),
    'failed',
    { status: ERROR, error: 'e', finishedAt: NOW, leaseExpiresAt: null },
  ],
  [
    'the last one of a task with fewer attempts of its own',
    retried({ ...running, maxAttempts: 1 }, {}, RULES),
    'failed',
    { status: ERROR, finishedAt: NOW, leaseExpiresAt: null },
  ],
  [
    'a task given back',
    released(running, {}, RULES),
    'ready',
    { status: BEGIN, attempts: 0, releases: 1, leaseExpiresAt: null },
  ],
  [
    'the third time in a row',
    released({ ...running, releases: 2 }, {}, RULES),
    'waiting',
    { status: WAITING, runAt: fromNow(10), attempts: 0, releases: 3, leaseExpiresAt: null },
  ],
  ['a heartbeat', renewed(running, {}, undefined), undefined, { leaseSeconds: 60, leaseExpiresAt: fromNow(60) }],
  [
    'progress, with another lease',
    renewed(running, { progress: 120, lease: 90 }, undefined),
    'progressed',
    { progress: 100, leaseSeconds: 90, leaseExpiresAt: fromNow(90) },
  ],
  [
    "a status of the host's own, of a row without a lease",
    renewed({ ...running, leaseSeconds: null }, {}, 25),
    'progressed',
    { status: 25 },
  ],
  ['a draft made ready', madeReady(row({ status: INIT }), RULES), 'ready', { status: BEGIN }],
  [
    'a failed task run again',
    runAgain(row({ status: ERROR, attempts: 3 }), RULES),
    'ready',
    { ...RAN_AGAIN, status: BEGIN },
  ],
  [
    'a task called off',
    cancelled(running, RULES),
    'cancelled',
    { status: CANCELLED, finishedAt: NOW, leaseExpiresAt: null },
  ],
  ['a task whose time has come', due(row({ status: WAITING }), RULES), 'ready', { status: BEGIN }],
  [
    'a lease that has run out',
    expired(running, { token: 'other' }, RULES),
    'ready',
    { status: BEGIN, releases: 0, leaseToken: 'other', leaseExpiresAt: null },
  ],
  [
    'a legacy one, whose late end counts',
    expired(legacy, { token: 'other' }, RULES),
    'ready',
    { status: BEGIN, releases: 0, leaseExpiresAt: null },
  ],
  [
    'one of the last attempt',
    expired({ ...running, attempts: 3 }, { token: 'other' }, RULES),
    'failed',
    {
      status: ERROR,
      error: 'the lease ran out in attempt 3 of 3',
      finishedAt: NOW,
      leaseToken: 'other',
      leaseExpiresAt: null,
    },
  ],
  ['a lease that plain SQL left behind', leaseDropped(), undefined, { leaseExpiresAt: null }],
];

/** Undefined leaves a column alone. */
const defined = (values: object): object =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));

describe('what becomes of a row', () => {
  it.each(CASES)('%s', (_, transition, event, values) => {
    expect(transition.event).toBe(event);
    expect(defined(transition.values)).toEqual(values);
  });
});

const ENDS: [what: string, transition: Transition, attempt: AttemptEnd | undefined][] = [
  ['the end', finished(running, { output: 'o' }, RULES), { outcome: 'finished', error: null }],
  ['a failure for good', failed(running, WORDS, RULES), { outcome: 'failed', error: 'e' }],
  ['a failure that may be retried', retried(running, { error: 'e' }, RULES), { outcome: 'failed', error: 'e' }],
  ['the last one', retried({ ...running, attempts: 3 }, {}, RULES), { outcome: 'failed', error: null }],
  ['a task given back', released(running, { error: 'e' }, RULES), { outcome: 'released', error: 'e' }],
  ['a lease that ran out', expired(running, { token: 't' }, RULES), { outcome: 'leaseExpired', error: null }],
  [
    'one of the last attempt',
    expired({ ...running, attempts: 3 }, { token: 't' }, RULES),
    { outcome: 'leaseExpired', error: null },
  ],
  ['a claim that nobody hears', unclaimed(running, RULES), undefined],
  ['a task called off', cancelled(running, RULES), undefined],
  ['a claim', claimed(row({}), CLAIM, RULES), undefined],
];

describe('how an attempt ends', () => {
  it.each(ENDS)('%s', (_, transition, attempt) => expect(transition.attempt).toEqual(attempt));
});

it('is written in one place: nothing else in the queue and its capabilities ends a lease or a task', () => {
  const src = resolve(import.meta.dirname, '../../../src');
  const rooms = ['queue', 'maintenance', 'callbacks', 'metrics', 'service'];
  const files = rooms.flatMap((room) =>
    readdirSync(join(src, room), { recursive: true, encoding: 'utf8' }).map((file) => join(room, file)),
  );
  const writes = files.filter(
    (file) =>
      file.endsWith('.ts') && /\b(leaseExpiresAt|finishedAt): (null|NOW)\b/.test(readFileSync(join(src, file), 'utf8')),
  );
  expect(writes.sort()).toEqual(['queue/run-again.ts', 'queue/transitions.ts']);
});
