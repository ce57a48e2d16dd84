import type { ClaimQuery, ReportAnswer, WaitReason, WorkerTask } from '../../protocol/wire.types.js';
import { problemsOf, TaskApiError } from '../errors.js';
import { newKey } from '../new-key.js';
import type { TaskClient } from '../task-client.js';
import type { Verdict, Work, WorkReport, WorkSource } from './work-source.js';

/** Seconds that the withdrawal of a claim may take when the worker stops. */
const WITHDRAWAL = 2;

/** Takes work from the queue over HTTP. */
export class HttpSource implements WorkSource<WorkerTask> {
  /** The key of the claim until it is answered. A lost answer is requested again with it, so no task is lost. */
  private key = newKey();

  constructor(
    private readonly client: TaskClient,
    private readonly query: ClaimQuery & { lease: number },
  ) {}

  async claim(
    limit: number,
    signal: AbortSignal,
    onWait?: (reason: WaitReason | undefined) => void,
  ): Promise<Work<WorkerTask>[]> {
    try {
      return await this.ask({ ...this.query, limit }, { signal, onWait });
    } catch (error) {
      if (!signal.aborted) throw error;
      // The claim may still wait behind a proxy, or its answer be lost. The withdrawal returns what it took and ends
      // it.
      return this.ask({ ...this.query, limit: 0, wait: 0 }, { timeout: WITHDRAWAL });
    }
  }

  async report(reports: WorkReport[]): Promise<Verdict[]> {
    // A request that hangs must not cost the lease.
    const timeout = Math.min(10, this.query.lease / 2);
    const said = reports.map((report) => this.said(report));
    const answers = await this.client.reportMany(said, { retries: 0, timeout });
    const unheard: Verdict = { kind: 'again', error: new TaskApiError('a report was not answered') };
    return reports.map((_, index) => (answers[index] ? this.verdict(answers[index]) : unheard));
  }

  private async ask(query: ClaimQuery, options: object): Promise<Work<WorkerTask>[]> {
    const claimed = await this.client.claim(query, { idempotencyKey: this.key, retries: 0, ...options });
    this.key = newKey();
    return claimed.map(({ task, leaseToken, traceparent }) => {
      const { taskId, service, temp: checkpoint } = task;
      return { task, leaseToken, taskId, service, checkpoint, traceparent };
    });
  }

  private said({ end, ...report }: WorkReport): object & { taskId: string } {
    const { FINISHED, ERROR, BEGIN } = this.client.status;
    const status = end && { finished: FINISHED, failed: ERROR, released: BEGIN }[end];
    return { ...report, ...(status === undefined ? {} : { status }) };
  }

  private verdict(answer: ReportAnswer): Verdict {
    if (!('failure' in answer)) return { kind: 'taken' };
    const { code, msg, detail } = answer.failure;
    const error = new TaskApiError(msg + problemsOf(detail), { code, detail, httpStatus: 200 });
    const { UNAVAILABLE, TOO_MANY_REQUESTS, INTERNAL, LEASE_LOST, NOT_FOUND } = this.client.codes;
    if ([UNAVAILABLE, TOO_MANY_REQUESTS, INTERNAL].includes(code)) return { kind: 'again', error };
    if (![LEASE_LOST, NOT_FOUND].includes(code)) return { kind: 'refused', error };
    const { task } = (detail ?? {}) as { task?: { status: number } };
    return { kind: 'lost', reason: task?.status === this.client.status.CANCELLED ? 'cancelled' : 'lost' };
  }
}
