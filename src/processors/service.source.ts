import { asError, problemsOf } from '../client/errors.js';
import type { Verdict, Work, WorkReport, WorkSource } from '../client/worker/work-source.js';
import { TaskError } from '../contract/errors.js';
import type { Task } from '../contract/task.entity.js';
import type { WaitReason } from '../queue/gates.js';
import { waitReasonOf } from '../queue/wait-reason.js';
import type { ClaimOptions } from '../queue/use-cases/claim-options.js';
import type { TaskService } from '../service/task.service.js';

/** Seconds that a claim waits for a task. */
const WAIT = 30;

/** Takes work from the queue of this process. */
export class ServiceSource<T extends Task> implements WorkSource<T> {
  constructor(
    private readonly tasks: TaskService<T>,
    private readonly filter: Pick<ClaimOptions, 'service' | 'group' | 'lease' | 'workerId'>,
  ) {}

  async claim(
    limit: number,
    signal: AbortSignal,
    waits?: (reason: WaitReason | undefined) => void,
  ): Promise<Work<T>[]> {
    const claimed = await this.tasks.claim({ ...this.filter, limit, signal, wait: WAIT });
    waits?.(waitReasonOf(claimed));
    return claimed.map((task) => ({
      task,
      taskId: task.taskId,
      service: task.service,
      traceparent: task.traceparent,
      leaseToken: task.leaseToken!,
      checkpoint: task.temp ?? '',
    }));
  }

  report(reports: WorkReport[]): Promise<Verdict[]> {
    return Promise.all(reports.map((report) => this.reportOne(report)));
  }

  private async reportOne({ taskId, end, ...report }: WorkReport): Promise<Verdict> {
    const { FINISHED, ERROR, BEGIN, CANCELLED } = this.tasks.status;
    const status = end && { finished: FINISHED, failed: ERROR, released: BEGIN }[end];
    try {
      await this.tasks.report(taskId, { ...report, status });
      return { kind: 'taken' };
    } catch (error) {
      if (!(error instanceof TaskError)) return { kind: 'again', error: asError(error) };
      switch (error.errorName) {
        case 'LEASE_LOST': {
          const { status: now } = error.detail as { status: number };
          return { kind: 'lost', reason: now === CANCELLED ? 'cancelled' : 'lost' };
        }
        case 'NOT_FOUND':
          return { kind: 'lost', reason: 'lost' };
        case 'UNAVAILABLE':
        case 'TOO_MANY_REQUESTS':
          return { kind: 'again', error };
        default:
          // Its message goes into the task's error.
          error.message += problemsOf(error.detail);
          return { kind: 'refused', error };
      }
    }
  }
}
