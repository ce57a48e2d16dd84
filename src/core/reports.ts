import { TaskError } from '../contract/errors.js';
import type { Task } from '../contract/task.entity.js';
import { ALONE, type Batch, done, failed, type Outcome, type Size } from '../store/batcher.js';
import { fromNow, NOW } from '../store/clock.js';
import type { TaskValues } from '../store/columns.js';
import type { TaskChange } from '../store/task.store.js';
import type { Script } from '../store/transaction.js';
import { checkStatus } from './creation.js';
import type { TaskEventType } from './events.js';
import { check, invalid } from './invalid.js';
import { isFenced } from './lease.js';
import { pauseAfter } from './policy.js';
import type { Queue } from './queue.js';
import { leaseLost, refusal } from './refusal.js';
import { delayRule, isIdLike, leaseRule, progressRule, textRule, tokenRule } from './rules.js';

export interface TaskReport {
  /** The claim's token. Without one the report counts only for a claim of the original's form. */
  leaseToken?: string | undefined;
  /** Percent done, 0 or more; above 100 counts as 100. */
  progress?: number | undefined;
  status?: number | undefined;
  temp?: string | undefined;
  output?: string | undefined;
  /** Why it failed; at most 65,535 bytes of UTF-8. */
  error?: string | undefined;
  /** Seconds that the lease holds from now on, 1 to 86,400; absent: as long as before. */
  lease?: number | undefined;
  /** With status ERROR: a failure that another attempt may mend. */
  retry?: boolean | undefined;
  /** Seconds until the next attempt, 0 to 31,536,000, with a retry or a give-back; absent: the back-off. */
  delay?: number | undefined;
}

/** Give-backs in a row from which on the task rests before it is ready again. */
const PATIENCE = 3;

type Ending = TaskValues & { event?: TaskEventType };

/** What a report that counts makes of its task. */
type Change<T extends Task> = TaskChange<T> & Reported<T> & { ends: boolean };

interface Reported<T extends Task> {
  task: T;
  event?: TaskEventType | undefined;
}

interface Said extends TaskReport {
  taskId: string;
}

/** Takes workers' word on their tasks, each held to its lease. */
export class Reports<T extends Task> implements Batch<Said, Reported<T>> {
  constructor(private readonly queue: Queue<T>) {}

  async report(taskId: string, report: TaskReport): Promise<T> {
    if (!isIdLike(taskId)) throw new TaskError('NOT_FOUND');
    this.checkReport(report);
    const { task, event } = await this.queue.batcher.run(this, { ...report, taskId });
    if (event) this.queue.events.tell(event, [task]);
    return task;
  }

  *script(reports: Said[]): Script<Outcome<Reported<T>>[]> {
    const { tasks } = this.queue;
    const alone = reports.length === 1;
    const ids = reports.map(({ taskId }) => taskId);
    const { tasks: found, now } = yield* alone ? tasks.lockOne(ids[0]!) : tasks.lockFree(ids);
    const locked = new Map(found.map((task) => [task.taskId, task]));
    const missing = ids.filter((taskId) => !locked.has(taskId));
    const held = alone ? new Set<string>() : yield* tasks.present(missing);
    const verdicts = reports.map((report) => {
      const task = locked.get(report.taskId);
      if (task) return this.judge(task, report);
      return held.has(report.taskId) ? ALONE : failed(new TaskError('NOT_FOUND'));
    });
    const changes = verdicts.flatMap((verdict) => ('values' in verdict ? verdict : []));
    yield* tasks.updateEach(changes, now);
    yield* this.queue.outbox.add(changes.flatMap(({ ends, task }) => (ends ? task : [])));
    return verdicts.map((verdict) => ('values' in verdict ? done(verdict) : verdict));
  }

  /** The second report on a task finds what the first one made of it. */
  keys({ taskId }: Said): string[] {
    return [taskId];
  }

  size({ temp = '', output = '', error = '' }: Said): Size {
    return { rows: 1, chars: temp.length + output.length + error.length };
  }

  /** What the row becomes, or what is answered at once. */
  private judge(task: T, report: Said): Outcome<Reported<T>> | Change<T> {
    try {
      if (!this.counts(task, report)) return done({ task });
    } catch (error) {
      return failed(error);
    }
    const { event, ...values } = this.outcome(task, report);
    const status = values.status as number | undefined;
    // A late word on a task that has failed already is no new failure.
    const ends = status !== undefined && status !== task.status && this.queue.lifeCycle.isEnded(status);
    return { task, values, event, ends };
  }

  private checkReport({ leaseToken, status, progress, temp, output, error, lease, retry, delay }: TaskReport): void {
    const { lifeCycle, settings } = this.queue;
    if (leaseToken !== undefined) check('leaseToken', leaseToken, tokenRule);
    else if (settings.requireLease)
      throw invalid([{ field: 'leaseToken', rule: 'isDefined', msg: 'leaseToken is required: the claim answered it' }]);
    if (status !== undefined) checkStatus(status, lifeCycle.workerStatuses);
    if (progress !== undefined) check('progress', progress, progressRule);
    if (temp !== undefined) check('temp', temp, textRule);
    if (output !== undefined) check('output', output, textRule);
    if (error !== undefined) check('error', error, textRule);
    if (lease !== undefined) check('lease', lease, leaseRule);
    if (delay !== undefined) check('delay', delay, delayRule);
    const { BEGIN, ERROR } = lifeCycle.status;
    if (retry && status !== ERROR)
      throw invalid([{ field: 'retry', rule: 'withStatus', msg: `retry goes with status=${ERROR}` }]);
    if (delay !== undefined && status !== BEGIN && !retry)
      throw invalid([
        {
          field: 'delay',
          rule: 'withStatus',
          msg: `delay goes with status=${BEGIN}, or with status=${ERROR} and retry`,
        },
      ]);
  }

  /** True where the report counts, false where it says nothing new; LEASE_LOST or INVALID_STATE otherwise. */
  private counts(task: T, { leaseToken, status, retry }: TaskReport): boolean {
    const { lifeCycle } = this.queue;
    if (leaseToken !== undefined) {
      if (leaseToken !== task.leaseToken)
        throw leaseLost(task, 'this token is not, or no longer, the one of its lease: stop working on it');
      if (lifeCycle.isHeld(task.status)) return true;
      if (repeats(lifeCycle.phase(task.status), status && lifeCycle.phase(status), retry)) return false;
      throw leaseLost(task, 'its lease is over: stop working on it');
    }
    if (lifeCycle.isFinal(task.status)) return false;
    if (isFenced(task.leaseToken)) throw leaseLost(task, 'it was claimed with a token: report with its leaseToken');
    const verdict = lifeCycle.workerMove(task.status, status);
    if (verdict === 'refuse') throw refusal(lifeCycle, task, 'worker');
    // Late, it asks for another attempt: there will be one, or there have been enough.
    return verdict === 'move' && (lifeCycle.isHeld(task.status) || !retry);
  }

  /** What the row becomes. */
  private outcome(task: T, report: TaskReport): Ending {
    const { lifeCycle, policies } = this.queue;
    const { status, progress, temp, output, error, lease, retry, delay } = report;
    const { WAITING, BEGIN } = lifeCycle.status;
    const said = { progress: progress === undefined ? undefined : Math.min(progress, 100), temp, output, error };
    const rest = (seconds: number): TaskValues =>
      seconds > 0 ? { status: WAITING, runAt: fromNow(seconds) } : { status: BEGIN };
    const over = { ...said, leaseExpiresAt: null };
    const ready = (values: TaskValues): Ending => (values.status === BEGIN ? { ...values, event: 'ready' } : values);
    const { backoff, maxAttempts } = policies.of(task.service);
    switch (status === undefined ? undefined : lifeCycle.phase(status)) {
      case 'FINISHED':
        return { ...over, status, progress: 100, error: error ?? null, finishedAt: NOW, event: 'finished' };
      case 'ERROR':
        if (!retry || task.attempts >= (task.maxAttempts ?? maxAttempts))
          return { ...over, status, finishedAt: NOW, event: 'failed' };
        return ready({ ...over, releases: 0, ...rest(delay ?? pauseAfter(task.attempts, backoff)) });
      case 'BEGIN': {
        // Given back, it was no attempt.
        const releases = task.releases + 1;
        const pause = releases < PATIENCE ? 0 : pauseAfter(releases - PATIENCE + 1, backoff);
        return ready({ ...over, attempts: Math.max(task.attempts - 1, 0), releases, ...rest(delay ?? pause) });
      }
      default: {
        const seconds = lease ?? task.leaseSeconds;
        const renewal = seconds === null ? {} : { leaseSeconds: seconds, leaseExpiresAt: fromNow(seconds) };
        const silent = status === undefined && Object.values(said).every((value) => value === undefined);
        return { ...said, ...renewal, status, ...(silent ? {} : { event: 'progressed' as const }) };
      }
    }
  }
}

/** Whether a report asks for what has become of the task already: its answer was lost. */
function repeats(now: string, asked: string | undefined | 0, retry = false): boolean {
  switch (asked) {
    case 'FINISHED':
      return now === 'FINISHED';
    case 'ERROR':
      return now === 'ERROR' || (retry && (now === 'WAITING' || now === 'BEGIN'));
    case 'BEGIN':
      return now === 'BEGIN' || now === 'WAITING';
    default:
      return false;
  }
}
