import type { Given } from '../contract/given.js';
import type { TaskStatusCatalogue } from '../contract/status.js';
import type { Report } from '../protocol/wire.types.js';
import { fromNow, NOW } from '../database/clock.js';
import type { AttemptEnd, AttemptOutcome, QueueEventType } from './events.js';
import { isFenced } from './lease-token.js';
import { isRunAgainBySql, RUN_AGAIN } from './run-again.js';
import { pauseAfter } from './backoff.js';
import type { ServicePolicy } from './service-policy.js';
import type { TaskValues } from './stores/columns.js';
import { isFreeAtClaim, keyIn, type UniqueRow } from './unique.js';

/**
 * The new values of a row when its task is claimed, reported on, changed by its user, or becomes due. Each function is
 * (row, command, rules) -> values and event, and pure except for the jitter of the back-off. It assumes that the move
 * is allowed; `LifeCycle` decides that. Except for the create, nothing else in the queue writes a status.
 */
export interface Transition {
  /** New values by property. undefined leaves a column unchanged. */
  values: TaskValues;
  /** The event for hooks and listeners. undefined: none. */
  event?: QueueEventType | undefined;
  /** The attempt that it ends. */
  attempt?: AttemptEnd | undefined;
}

/** The columns that a transition reads. */
export interface TransitionRow extends UniqueRow {
  status: number;
  attempts: number;
  releases: number;
  maxAttempts: number | null;
  leaseToken: string | null;
  leaseSeconds: number | null;
  finishedAt: unknown;
}

/** The statuses of the registration, and the policy of the task's service. */
export interface Rules {
  status: TaskStatusCatalogue;
  policy: ServicePolicy;
}

/** From this many releases in a row on, the task waits before it is ready again. */
const PATIENCE = 3;

/**
 * Values that plain SQL left from the last run of a running row. `progress` is not reset: the new worker may have set
 * it.
 */
const LEFT_BEHIND = { ...RUN_AGAIN, progress: undefined };

export interface ClaimCommand {
  token: string;
  /** Seconds that the lease holds. */
  lease: number;
  workerId: string | null;
  claimKey: string | null;
}

/** A worker takes a ready task: BEGIN to START. */
export function claimed(row: TransitionRow, command: ClaimCommand, { status, policy }: Rules): Transition {
  const isRunAgain = isRunAgainBySql(row, mostAttempts(row, policy));
  return {
    event: 'started',
    values: {
      ...(isRunAgain ? RUN_AGAIN : {}),
      ...freedByClaim(row),
      status: status.START,
      attempts: isRunAgain ? 1 : row.attempts + 1,
      leaseToken: command.token,
      ...leaseOf(command.lease),
      workerId: command.workerId,
      claimKey: command.claimKey,
      startedAt: NOW,
    },
  };
}

/**
 * Plain SQL, or a Laravel application, took the task and wrote no lease. The task gets the lease of a legacy claim and
 * is taken back when that runs out. A token of an earlier claim no longer counts.
 */
export function claimedBySql(row: TransitionRow, { token }: { token: string }, { policy }: Rules): Transition {
  const isRunAgain = isRunAgainBySql(row, mostAttempts(row, policy));
  return {
    event: 'started',
    values: {
      ...(isRunAgain ? LEFT_BEHIND : {}),
      ...freedByClaim(row),
      ...leaseOf(policy.legacyLease),
      leaseToken: token,
      attempts: isRunAgain ? 1 : row.attempts + 1,
      startedAt: NOW,
    },
  };
}

/**
 * Nobody received the answer to the claim: the task becomes as if it had never been claimed. A unique key that the claim
 * freed stays free, because another task may hold it by now.
 */
export function unclaimed(row: TransitionRow, { status }: Rules): Transition {
  return { event: 'ready', values: { status: status.BEGIN, attempts: row.attempts - 1, leaseExpiresAt: null } };
}

/** What a worker's report says of the task. undefined: the report does not say it. */
export type ReportCommand = Given<Pick<Report, 'progress' | 'temp' | 'output' | 'error' | 'lease' | 'delay'>>;

/** The worker has finished the task: to FINISHED. */
export function finished(row: TransitionRow, report: ReportCommand, { status }: Rules): Transition {
  const end = { status: status.FINISHED, progress: 100, error: report.error ?? null, finishedAt: NOW, ...freed(row) };
  return { event: 'finished', attempt: ended('finished', report), values: Object.assign(over(report), end) };
}

/** The task has failed for good: to ERROR. */
export function failed(row: TransitionRow, report: ReportCommand, { status }: Rules): Transition {
  const values = { ...over(report), status: status.ERROR, finishedAt: NOW, ...freed(row) };
  return { event: 'failed', attempt: ended('failed', report), values };
}

/** The attempt failed and may be retried: to WAITING, or to BEGIN without a delay. After the last attempt: to ERROR. */
export function retried(row: TransitionRow, report: ReportCommand, rules: Rules): Transition {
  const { policy } = rules;
  if (row.attempts >= mostAttempts(row, policy)) return failed(row, report, rules);
  const delay = report.delay ?? pauseAfter(row.attempts, policy.backoff);
  return { ...ready({ ...over(report), releases: 0 }, delay, rules), attempt: ended('failed', report) };
}

/**
 * The worker gives the task back without using an attempt: to BEGIN. With a delay, or from the third time in a row:
 * WAITING.
 */
export function released(row: TransitionRow, report: ReportCommand, rules: Rules): Transition {
  const releases = row.releases + 1;
  const pause = releases < PATIENCE ? 0 : pauseAfter(releases - PATIENCE + 1, rules.policy.backoff);
  const values = { ...over(report), attempts: Math.max(row.attempts - 1, 0), releases };
  return { ...ready(values, report.delay ?? pause, rules), attempt: ended('released', report) };
}

/** The worker continues: the lease is renewed. The status stays, or becomes one of the host's own. */
export function renewed(row: TransitionRow, report: ReportCommand, status: number | undefined): Transition {
  const said = wordsOf(report);
  const seconds = report.lease ?? row.leaseSeconds;
  const isSilent = status === undefined && Object.values(said).every((value) => value === undefined);
  return {
    event: isSilent ? undefined : 'progressed',
    values: { ...said, ...(seconds === null ? {} : leaseOf(seconds)), status },
  };
}

/** A user makes a draft or a waiting task ready: to BEGIN. */
export function madeReady(_: TransitionRow, { status }: Rules): Transition {
  return { event: 'ready', values: { status: status.BEGIN } };
}

/** A user runs an ended task again, with all its attempts and its unique key: to BEGIN. */
export function runAgain({ uniqueRule }: UniqueRow, { status }: Pick<Rules, 'status'>): Transition {
  const uniqueKey = uniqueRule ? keyIn(uniqueRule) : undefined;
  return { event: 'ready', values: { status: status.BEGIN, ...RUN_AGAIN, uniqueKey } };
}

/** What a task gets from a create that has its unique key. */
export interface ReplaceCommand {
  content: TaskValues;
  /** The status of the new task. BEGIN with `runAt` means ready from that time on. */
  status: number;
  runAt?: Date | undefined;
  now: Date;
}

/** A create with the unique key of this task, which no worker has had, gives the task its content and its time. */
export function replaced(row: TransitionRow, command: ReplaceCommand, { status }: Rules): Transition {
  const { content, runAt, now } = command;
  const next = runAt && runAt > now ? status.WAITING : command.status;
  const event = { [status.BEGIN]: 'ready', [status.WAITING]: 'waiting' } as const;
  return { event: next === row.status ? undefined : event[next], values: { ...content, status: next } };
}

/** A user cancels the task: to CANCELLED. */
export function cancelled(row: UniqueRow, { status }: Pick<Rules, 'status'>): Transition {
  const values = { status: status.CANCELLED, finishedAt: NOW, leaseExpiresAt: null, ...freed(row) };
  return { event: 'cancelled', values };
}

/** A waiting task becomes due: to BEGIN. */
export function due(_: TransitionRow, { status }: Rules): Transition {
  return { event: 'ready', values: { status: status.BEGIN } };
}

/** All tasks that it waited for have ended: to BEGIN. */
export function unblocked(_: object, { status }: Pick<Rules, 'status'>): Transition {
  return { event: 'ready', values: { status: status.BEGIN } };
}

/** A task that it waited for has failed or was cancelled: to ERROR, without an attempt. */
export function dependencyFailed(_: object, { status }: Pick<Rules, 'status'>): Transition {
  const error = 'DEPENDENCY_FAILED: a task that this one waited for has failed or was cancelled';
  return { event: 'failed', values: { status: status.ERROR, finishedAt: NOW, error } };
}

/**
 * The lease has run out: to BEGIN, or to ERROR after the last attempt. The row gets a token that nobody knows, so that
 * reports of the former worker are refused. A legacy worker knows no lease, and its late end counts until another
 * worker claims the task: the token stays.
 */
export function expired(row: TransitionRow, { token }: { token: string }, { status, policy }: Rules): Transition {
  const most = mostAttempts(row, policy);
  const leaseToken = isFenced(row.leaseToken) ? token : undefined;
  const attempt = ended('leaseExpired');
  if (row.attempts < most)
    return { event: 'ready', attempt, values: { status: status.BEGIN, leaseExpiresAt: null, releases: 0, leaseToken } };
  const error = `the lease ran out in attempt ${row.attempts} of ${most}`;
  return {
    event: 'failed',
    attempt,
    values: { status: status.ERROR, leaseExpiresAt: null, finishedAt: NOW, error, leaseToken, ...freed(row) },
  };
}

/** Plain SQL moved the task and left the lease on the row: the status stays, the lease is removed. */
export const leaseDropped = (): Transition => ({ values: { leaseExpiresAt: null } });

const mostAttempts = (row: TransitionRow, policy: ServicePolicy): number => row.maxAttempts ?? policy.maxAttempts;

/** The task no longer holds its unique key. A task without one has nothing to write. */
const freed = ({ uniqueKey }: UniqueRow): TaskValues => (uniqueKey ? { uniqueKey: null } : {});

const freedByClaim = (row: UniqueRow): TaskValues => (isFreeAtClaim(row) ? freed(row) : {});

const leaseOf = (seconds: number): TaskValues => ({ leaseSeconds: seconds, leaseExpiresAt: fromNow(seconds) });

function wordsOf({ progress, temp, output, error }: ReportCommand): TaskValues {
  return { progress: progress === undefined ? undefined : Math.min(progress, 100), temp, output, error };
}

/** The values of the last report, without a lease. */
const over = (report: ReportCommand): TaskValues => Object.assign(wordsOf(report), { leaseExpiresAt: null });

const ended = (outcome: AttemptOutcome, { error }: Pick<ReportCommand, 'error'> = {}): AttemptEnd => ({
  outcome,
  error: error ?? null,
});

/** Ready after this many seconds: WAITING until then, or BEGIN at once for 0. */
function ready(values: TaskValues, seconds: number, { status }: Rules): Transition {
  if (seconds > 0) return { event: 'waiting', values: { ...values, status: status.WAITING, runAt: fromNow(seconds) } };
  return { event: 'ready', values: { ...values, status: status.BEGIN } };
}
