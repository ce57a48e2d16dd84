import { Logger } from '@nestjs/common';

/** Who acts. It is written down, and may be a name, an address, or what else the host knows of its operators. */
export interface OperatorCall {
  by?: string | undefined;
}

/** Something that an operator did. */
export interface OperatorAction {
  /**
   * What: `retry`, `cancel`, `delete`, `change`, `bulk`, `abortBulk`, `setService`, `replayCallback`, `replayCallbacks`,
   * `pauseSchedule`, `resumeSchedule`, `runSchedule`, `deleteSchedule`, `sealBatch`, `cancelBatch`.
   */
  action: string;
  /** Who, as the host or the token's name says. */
  by: string | undefined;
  /** How many tasks, callbacks or bulks it concerned. 0 for a bulk that has just begun. */
  count: number;
  /** What it was done to, and how. */
  detail: Record<string, unknown>;
}

export type OperatorListener = (action: OperatorAction) => void | Promise<void>;

/** Items of a list that a log line shows. Listeners are told all. */
const SHOWN = 5;

/** Tells of each action of operators: by a log line, and to the host's listeners. */
export class Audit {
  private readonly logger = new Logger('TaskModule');
  private readonly listeners = new Set<OperatorListener>();

  /** Returns a function that stops listening. */
  on(listener: OperatorListener): () => void {
    const own: OperatorListener = (action) => listener(action);
    this.listeners.add(own);
    return () => void this.listeners.delete(own);
  }

  tell(action: OperatorAction): void {
    const { by = 'an operator', count, detail } = action;
    this.logger.log(`${by}: ${action.action} of ${count}: ${JSON.stringify(detail, shortened)}`);
    for (const listener of this.listeners) this.call(listener, action);
  }

  private call(listener: OperatorListener, action: OperatorAction): void {
    const failed = (error: unknown): void =>
      this.logger.error(
        `a listener failed on an operator's ${action.action}`,
        error instanceof Error ? error.stack : error,
      );
    try {
      Promise.resolve(listener(action)).catch(failed);
    } catch (error) {
      failed(error);
    }
  }
}

/** A list of a thousand ids as its first few and a number. */
const shortened = (_: string, value: unknown): unknown =>
  Array.isArray(value) && value.length > SHOWN
    ? [...(value.slice(0, SHOWN) as unknown[]), `and ${value.length - SHOWN} more`]
    : value;
