import { TaskError } from '../../contract/errors.js';
import type { Task } from '../../contract/task.entity.js';
import type { QueueEvent } from '../events.js';
import type { WaitReason } from '../gates.js';
import type { Row } from '../../database/transaction.js';
import { workerAnswerBytes } from '../answer-bytes.js';
import type { Claim } from './claim-options.js';

/** The tasks of one claim, or the `refusal` if it gets none. */
export interface Share<T extends Task> {
  claim: Claim;
  tasks: T[];
  /** The event of each of its tasks. */
  started: QueueEvent<T>[];
  refusal?: TaskError;
  /** Rows of the whole deal that no claim took. */
  left: Row[];
  /** Why the deal had no task, if a pause or a limit is the reason. */
  wait?: WaitReason | undefined;
  /** The deal had no task because other transactions hold limited services. */
  isHeld?: boolean | undefined;
}

/** Deals ready tasks of one filter to its claims, in the order in which the claims arrived. */
export class Deal<T extends Task> {
  readonly shares: Share<T>[];
  readonly left: Row[] = [];
  private current = 0;

  constructor(readonly claims: Claim[]) {
    this.shares = claims.map((claim) => ({ claim, tasks: [], started: [], left: this.left }));
  }

  /** It has no task, because of a pause or a limit, or because other transactions hold limited services. */
  isHeldUpBy({ wait, isHeld = false }: Pick<Share<T>, 'wait' | 'isHeld'>): void {
    for (const share of this.shares) Object.assign(share, { wait, isHeld });
  }

  get isHeld(): boolean {
    return this.shares.some((share) => share.isHeld === true);
  }

  /** How many tasks the claims ask for. */
  get wanted(): number {
    return this.claims.reduce((sum, { limit = 1 }) => sum + limit, 0);
  }

  get isOver(): boolean {
    return this.current === this.shares.length;
  }

  /**
   * Gives the task to the first claim that still takes tasks. False if there is none. A claim whose answer would grow
   * too large takes no more, and gets fewer tasks.
   */
  give(task: T): boolean {
    for (; !this.isOver; this.current += 1) {
      const share = this.shares[this.current]!;
      const { claim, tasks, started } = share;
      if (tasks.length === (claim.limit ?? 1)) continue;
      const refusal = claim.space.hold(task.taskId, workerAnswerBytes(task));
      if (!refusal) {
        // The last change before the claim made the task ready.
        started.push({ type: 'started', task, readySince: task.updatedAt ?? task.createdAt ?? undefined });
        return tasks.push(task) > 0;
      }
      if (tasks.length === 0 && refusal instanceof TaskError) share.refusal = refusal;
    }
    return false;
  }
}
