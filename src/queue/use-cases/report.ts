import { TaskError } from '../../contract/errors.js';
import type { Given } from '../../contract/given.js';
import type { Task } from '../../contract/task.entity.js';
import { ALONE, type Command, done, failed, type Outcome, type Size } from '../../database/group-commit.js';
import type { TaskChange } from '../stores/task.store.js';
import type { Script } from '../../database/transaction.js';
import { jsonBytes, workerAnswerBytes } from '../answer-bytes.js';
import { type AnswerSpace, FULL, spaceOf } from '../answer-room.js';
import type { AttemptEnd, QueueEvent, QueueEventType } from '../events.js';
import type { Report } from '../../protocol/wire.types.js';
import { check, invalid } from '../../validation/invalid.js';
import { isFenced } from '../lease-token.js';
import { failed as hasFailed, finished, released, renewed, retried, type Transition } from '../transitions.js';
import type { Queue } from '../queue.js';
import { leaseLost, refusal } from '../state-errors.js';
import { BOUNDS, delayRule, isIdLike, leaseRule, pauseRule, tokenRule } from '../../validation/rules.js';
import { checkStatus, checkWritten } from '../../validation/task.rules.js';

/** What a worker says of its task. A report without a lease token counts only for a legacy claim. */
export type TaskReport = Given<Report>;

/** One of several reports, with the id of its task. */
export type OneReport = TaskReport & { taskId: string };

/** The most bytes of tasks, as answered, in one transaction. Reports beyond it run alone. */
const TRANSACTION_BYTES = 2 * BOUNDS.answerBytes;

/** What an accepted report changes. */
type Change<T extends Task> = TaskChange<T> & Reported<T> & { isMove: boolean };

interface Reported<T extends Task> {
  task: T;
  event?: QueueEventType | undefined;
  attempt?: AttemptEnd | undefined;
}

interface ReportRequest extends TaskReport {
  taskId: string;
  /** The space of the answer. */
  space: AnswerSpace;
}

/** Accepts workers' reports, each only under its lease. */
export class Reports<T extends Task> implements Command<ReportRequest, Reported<T>> {
  constructor(private readonly queue: Queue<T>) {}

  async report(taskId: string, report: TaskReport): Promise<T> {
    const request = this.request(taskId, report);
    const { task } = this.committed(await this.queue.groupCommit.run(this, request));
    if (report.pauseService !== undefined) await this.pause(task, report.pauseService);
    return task;
  }

  /** Each is judged on its own. The results are in the order of the reports. */
  async reportMany(reports: readonly OneReport[]): Promise<PromiseSettledResult<T>[]> {
    const results = new Array<PromiseSettledResult<T>>(reports.length);
    const requests = new Map<number, ReportRequest>();
    const attempt = (index: number, work: () => T | undefined): void => {
      try {
        const value = work();
        if (value) results[index] = { status: 'fulfilled', value };
      } catch (reason) {
        results[index] = { status: 'rejected', reason };
      }
    };
    for (const [index, { taskId, ...report }] of reports.entries())
      attempt(index, () => void requests.set(index, this.request(taskId, report)));
    const outcomes = await this.queue.groupCommit.runEach(this, [...requests.values()]);
    for (const [place, index] of [...requests.keys()].entries()) {
      const outcome = outcomes[place]!;
      attempt(index, () => {
        if ('error' in outcome) throw outcome.error;
        return this.committed(outcome.value).task;
      });
    }
    for (const [index, { pauseService }] of reports.entries()) {
      const result = results[index]!;
      if (pauseService !== undefined && result.status === 'fulfilled') await this.pause(result.value, pauseService);
    }
    return results;
  }

  private request(taskId: string, report: TaskReport): ReportRequest {
    if (!isIdLike(taskId)) throw new TaskError('NOT_FOUND');
    this.checkReport(report);
    return Object.assign({}, report, { taskId, space: spaceOf(report) });
  }

  private committed(reported: Reported<T>): Reported<T> {
    const { hooks } = this.queue;
    if (reported.event) hooks.committed(eventOf(reported));
    else hooks.edited(reported.task);
    return reported;
  }

  /** After the commit: a claim locks the service before its tasks. A worker whose answer is lost says it again. */
  private async pause({ service, workerId }: T, seconds: number): Promise<void> {
    await this.queue.gates.pause?.(service, seconds, workerId);
  }

  *script(reports: ReportRequest[]): Script<Outcome<Reported<T>>[]> {
    const { tasks } = this.queue;
    const alone = reports.length === 1;
    const ids = reports.map(({ taskId }) => taskId);
    const { rows, now } = yield* alone ? tasks.lockOne(ids[0]!) : tasks.lockFree(ids);
    const reportOf = new Map(reports.map((report) => [report.taskId, report]));
    const judged = new Map<string, Outcome<Reported<T>> | Change<T>>();
    let bytes = 0;
    yield* tasks.longTexts.each(rows, (task) => {
      const report = reportOf.get(task.taskId)!;
      const own = workerAnswerBytes(task) + jsonBytes([report.temp, report.output, report.error]);
      bytes += own;
      const isOver = !alone && bytes > TRANSACTION_BYTES;
      judged.set(task.taskId, isOver ? ALONE : (refusalOf(report, own) ?? this.judge(task, report)));
      return true;
    });
    const missing = ids.filter((taskId) => !judged.has(taskId));
    const held = alone ? new Set<string>() : yield* tasks.present(missing);
    const verdicts = ids.map(
      (taskId) => judged.get(taskId) ?? (held.has(taskId) ? ALONE : failed(new TaskError('NOT_FOUND'))),
    );
    const changes = verdicts.flatMap((verdict) => ('values' in verdict ? verdict : []));
    yield* tasks.updateEach(changes, now);
    yield* this.queue.hooks.changed(changes.filter(({ isMove }) => isMove).flatMap(eventOf));
    return verdicts.map((verdict) => ('values' in verdict ? done(verdict) : verdict));
  }

  /** A second report on a task must find the result of the first. */
  keys({ taskId }: ReportRequest): string[] {
    return [taskId];
  }

  size({ temp = '', output = '', error = '' }: ReportRequest): Size {
    return { rows: 1, chars: temp.length + output.length + error.length };
  }

  /** What the row becomes, or the answer if nothing changes. */
  private judge(task: T, report: ReportRequest): Outcome<Reported<T>> | Change<T> {
    try {
      if (!this.counts(task, report)) return done({ task });
    } catch (error) {
      return failed(error);
    }
    const { values, event, attempt } = this.outcome(task, report);
    // A late report on a task that has failed already is not a new failure.
    const isMove = values.status !== undefined && values.status !== task.status;
    return { task, values, event, attempt: isMove ? attempt : undefined, isMove };
  }

  private checkReport(report: TaskReport): void {
    const { leaseToken, status, lease, retry, delay, pauseService } = report;
    const { lifeCycle, settings } = this.queue;
    if (leaseToken !== undefined) check('leaseToken', leaseToken, tokenRule);
    else if (settings.requireLease)
      throw invalid([
        { field: 'leaseToken', rule: 'isDefined', msg: 'leaseToken is required; send the one that the claim returned' },
      ]);
    if (status !== undefined) checkStatus(status, lifeCycle.workerStatuses);
    checkWritten('report', report);
    if (lease !== undefined) check('lease', lease, leaseRule);
    if (delay !== undefined) check('delay', delay, delayRule);
    if (pauseService !== undefined) check('pauseService', pauseService, pauseRule);
    const { BEGIN, ERROR } = lifeCycle.status;
    if (retry && status !== ERROR)
      throw invalid([{ field: 'retry', rule: 'withStatus', msg: `retry is only allowed with status=${ERROR}` }]);
    if (delay !== undefined && status !== BEGIN && !retry)
      throw invalid([
        {
          field: 'delay',
          rule: 'withStatus',
          msg: `delay is only allowed with status=${BEGIN}, or with status=${ERROR} and retry`,
        },
      ]);
  }

  /** True if the report counts, false if it says nothing new. Otherwise LEASE_LOST or INVALID_STATE. */
  private counts(task: T, { leaseToken, status, retry }: TaskReport): boolean {
    const { lifeCycle } = this.queue;
    if (leaseToken !== undefined) {
      if (leaseToken !== task.leaseToken)
        throw leaseLost(task, 'leaseToken is not, or no longer, the token of this task: stop working on it');
      if (lifeCycle.isHeld(task.status)) return true;
      if (repeats(lifeCycle.phase(task.status), status && lifeCycle.phase(status), retry)) return false;
      throw leaseLost(task, 'the lease of this task is over: stop working on it');
    }
    if (lifeCycle.isFinal(task.status)) return false;
    if (isFenced(task.leaseToken))
      throw leaseLost(task, 'this task was claimed with a token: report with its leaseToken');
    const verdict = lifeCycle.workerMove(task.status, status);
    if (verdict === 'refuse') throw refusal(lifeCycle, task, 'worker');
    // A late report that asks for another attempt changes nothing: there will be one, or there have been enough.
    return verdict === 'move' && (lifeCycle.isHeld(task.status) || !retry);
  }

  private outcome(task: T, report: TaskReport): Transition {
    const { lifeCycle, rulesOf } = this.queue;
    const { status } = report;
    const rules = rulesOf(task.service);
    switch (status === undefined ? undefined : lifeCycle.phase(status)) {
      case 'FINISHED':
        return finished(task, report, rules);
      case 'ERROR':
        return report.retry ? retried(task, report, rules) : hasFailed(task, report, rules);
      case 'BEGIN':
        return released(task, report, rules);
      default:
        return renewed(task, report, status);
    }
  }
}

const eventOf = <T extends Task>({ event, task, attempt }: Reported<T>): QueueEvent<T>[] =>
  event ? [{ type: event, task, attempt }] : [];

/** Why a report does not count. Nothing is done if its answer cannot be held. */
function refusalOf(report: ReportRequest, bytes: number): Outcome<never> | undefined {
  const refusal = report.space.hold(report, bytes);
  const msg = `the answers to the reports before this one fill ${BOUNDS.answerBytes} bytes; send this one again`;
  return refusal && failed(refusal === FULL ? new TaskError('TOO_MANY_REQUESTS', { msg }) : refusal);
}

/** Whether a report asks for what the task has become already, because the first answer was lost. */
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
