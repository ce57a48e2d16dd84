import type { Logger } from '@nestjs/common';
import type { Next, TakenCallback } from '../store/callback.store.js';
import type { CallbackTry } from './callback.js';

/** Origins that are remembered; a host's function may name any number. */
const MOST = 1000;
/** Milliseconds after which trouble of the same origin is told of anew: one that comes and goes fills no log. */
const QUIET = 600_000;

/** Tells operators how receivers are: once when one begins to fail, once when it works again, and of each dead callback. */
export class Health {
  /** Origins of which the last that was heard is that they failed, and whether that was told; the latest last. */
  private readonly troubled = new Map<string, { told: boolean }>();
  private readonly lastTold = new Map<string, number>();

  constructor(private readonly logger: Logger) {}

  tell(callback: TakenCallback, next: Exclude<Next, 'untried'>, { status, error }: CallbackTry): void {
    const { id, taskId, origin, attempts } = callback;
    if (next === 'delivered') return this.works(origin);
    const reason = error ?? `HTTP ${status}`;
    // Gone is one address, not the receiver.
    if (status !== 410) this.fails(origin, next === 'dead' ? undefined : reason);
    if (next === 'dead')
      this.logger.error(
        `callback ${id} of task ${taskId} to ${origin} is dead after ${attempts} ${attempts === 1 ? 'try' : 'tries'}: ` +
          `${reason}. TaskService.callbacks.replay() delivers it anew`,
      );
  }

  private works(origin: string): void {
    if (this.troubled.get(origin)?.told) this.logger.log(`callbacks to ${origin} are delivered again`);
    this.troubled.delete(origin);
  }

  /** Without a reason it is told of already, as a dead callback. */
  private fails(origin: string, reason: string | undefined): void {
    const { troubled, lastTold } = this;
    if (troubled.get(origin)?.told) return;
    for (const known of [troubled, lastTold]) if (known.size >= MOST) known.delete(known.keys().next().value!);
    // One that was not told of goes on: it is, once the quiet is over.
    const told = performance.now() - (lastTold.get(origin) ?? -Infinity) > QUIET;
    troubled.set(origin, { told });
    if (!told) return;
    lastTold.set(origin, performance.now());
    if (reason !== undefined) this.logger.warn(`callbacks to ${origin} fail, and are tried again: ${reason}`);
  }
}
