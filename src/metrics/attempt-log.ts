import type { Script } from '../database/transaction.js';
import type { QueueEvent } from '../queue/events.js';
import { TaskIds } from '../queue/ids.js';
import type { AttemptStore, NewAttempt } from './attempt.store.js';

/** Bytes of an attempt's error that are kept. */
const ERROR_BYTES = 4096;

/** Writes attempts in the transaction that ends them. Attempts that finished their task are not written. */
export class AttemptLog {
  private readonly ids = new TaskIds();

  constructor(private readonly store: AttemptStore) {}

  *add(events: readonly QueueEvent[]): Script<void> {
    yield* this.store.insert(events.flatMap((event) => this.attemptOf(event) ?? []));
  }

  private attemptOf({ task, attempt }: QueueEvent): NewAttempt | undefined {
    if (!attempt || attempt.outcome === 'finished') return undefined;
    const { outcome, error } = attempt;
    const { taskId, attempts, workerId, startedAt } = task;
    return {
      taskId,
      id: this.ids.next(),
      // A task that is given back gets its attempt back.
      attempt: outcome === 'released' ? attempts + 1 : attempts,
      outcome,
      workerId,
      startedAt,
      error: error === null ? null : cut(error),
    };
  }
}

/** At most 4,096 bytes, without half of a character at the end. */
function cut(text: string): string {
  if (text.length * 3 <= ERROR_BYTES || Buffer.byteLength(text) <= ERROR_BYTES) return text;
  const bytes = Buffer.from(text).subarray(0, ERROR_BYTES);
  return new TextDecoder().decode(bytes, { stream: true });
}
