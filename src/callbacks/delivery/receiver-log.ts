import type { Logger } from '@nestjs/common';
import type { Next, TakenCallback } from '../callback.rows.js';
import type { CallbackTry } from '../callback.js';

/** The most origins that are remembered. A host's function may name any number. */
const MOST = 1000;
/** Milliseconds before trouble of the same origin is logged again, so that recurring trouble does not fill the log. */
const QUIET = 600_000;

/** Logs once when a receiver begins to fail, once when it works again, and every dead callback. */
export class ReceiverLog {
  /** Origins whose last try failed, and whether that was logged. The latest comes last. */
  private readonly troubled = new Map<string, { told: boolean }>();
  private readonly lastTold = new Map<string, number>();

  constructor(private readonly logger: Logger) {}

  tell(callback: TakenCallback, next: Exclude<Next, 'untried'>, { status, error }: CallbackTry): void {
    const { id, taskId, origin, attempts } = callback;
    if (next === 'delivered') return this.works(origin);
    const reason = error ?? `HTTP ${status}`;
    // 410 Gone concerns one address, not the whole receiver.
    if (status !== 410) this.fails(origin, next === 'dead' ? undefined : reason);
    if (next === 'dead')
      this.logger.error(
        `callback ${id} of task ${taskId} to ${origin} is dead after ${attempts} ${attempts === 1 ? 'try' : 'tries'}: ` +
          `${reason}. TaskService.callbacks.replay() delivers it again, and on the standalone server ` +
          `npm run callbacks -- replay ${id}`,
      );
  }

  private works(origin: string): void {
    if (this.troubled.get(origin)?.told) this.logger.log(`callbacks to ${origin} are delivered again`);
    this.troubled.delete(origin);
  }

  /** Without a reason the failure is logged already, as a dead callback. */
  private fails(origin: string, reason: string | undefined): void {
    const { troubled, lastTold } = this;
    if (troubled.get(origin)?.told) return;
    for (const known of [troubled, lastTold]) if (known.size >= MOST) known.delete(known.keys().next().value!);
    // Trouble that was not logged yet is logged once the quiet time is over.
    const told = performance.now() - (lastTold.get(origin) ?? -Infinity) > QUIET;
    troubled.set(origin, { told });
    if (!told) return;
    lastTold.set(origin, performance.now());
    if (reason !== undefined) this.logger.warn(`callbacks to ${origin} fail, and are tried again: ${reason}`);
  }
}
