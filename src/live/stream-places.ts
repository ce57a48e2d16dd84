import { TaskError } from '../contract/errors.js';
import type { LiveValues } from './live.options.js';

/** Counts the open streams, so that neither all owners together nor one of them has too many. */
export class StreamPlaces {
  private taken = 0;
  private readonly byOwner = new Map<string, number>();

  constructor(private readonly most: LiveValues) {}

  /** Returns a function that gives the place back, or throws TOO_MANY_REQUESTS. */
  take(owner: string): () => void {
    const { maxStreams, maxStreamsPerOwner } = this.most;
    const own = this.byOwner.get(owner) ?? 0;
    if (own >= maxStreamsPerOwner)
      throw tooMany(`you have ${own} event streams open; close one, or watch more tasks with one stream`);
    if (this.taken >= maxStreams)
      throw tooMany(`${maxStreams} event streams are open in this process; retry after the Retry-After header`);
    this.taken++;
    this.byOwner.set(owner, own + 1);
    let isTaken = true;
    return () => {
      if (!isTaken) return;
      isTaken = false;
      this.taken--;
      const left = this.byOwner.get(owner)! - 1;
      if (left > 0) this.byOwner.set(owner, left);
      else this.byOwner.delete(owner);
    };
  }
}

const tooMany = (msg: string): TaskError => new TaskError('TOO_MANY_REQUESTS', { msg });
