import type { WaitReason } from '../../protocol/wire.types.js';
import { describe, isA, RetryLater, stackOf, type StopReason } from '../errors.js';

/** The events of a worker. */
export interface WorkerEvents<T> {
  /** A handler starts. */
  started: { task: T };
  finished: { task: T; output: string | undefined };
  /** An attempt failed. `retry`: another one may follow. */
  failed: { task: T; error: unknown; retry: boolean };
  /** Given back at shutdown. */
  released: { task: T };
  /** This worker no longer has the task: the result of the handler no longer counts. */
  lost: { task: T; reason: StopReason };
  /** The queue refused a report because it breaks a rule. */
  refused: { task: T; error: Error };
  /** The queue cannot be reached, and is tried again. Sent once, until `reachable`. */
  unreachable: { error: Error };
  reachable: object;
  /** There are no tasks because of a pause or a limit. Sent once, until there are tasks or another reason. */
  heldUp: { reason: WaitReason };
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Receives the log lines of a worker: a sentence, and the objects that it is about. */
export type WorkerLog = (level: LogLevel, message: string, details: object) => void;

const HELD_UP: Record<WaitReason, string> = {
  paused: 'the service is paused',
  limit: 'as many tasks of the service run as may',
  rate: 'the rate of the service is used up',
};

const LINES: { [E in keyof WorkerEvents<unknown>]: [LogLevel, (event: WorkerEvents<any>[E]) => string] } = {
  started: ['debug', ({ task }) => `${idOf(task)} started`],
  finished: ['info', ({ task }) => `${idOf(task)} finished`],
  failed: ['warn', ({ task, error, retry }) => `${idOf(task)} failed${retry ? '' : ' for good'}: ${inFull(error)}`],
  released: ['info', ({ task }) => `${idOf(task)} given back`],
  lost: ['warn', ({ task, reason }) => `${idOf(task)} lost: ${reason}`],
  refused: ['error', ({ task, error }) => `${idOf(task)}: a report was refused: ${error.message}`],
  unreachable: ['warn', ({ error }) => `the queue can't be reached, retrying: ${error.message}`],
  reachable: ['info', () => 'the queue can be reached again'],
  heldUp: ['info', ({ reason }) => `no tasks for now: ${HELD_UP[reason]}`],
};

/** The error with its stack. Without it for RetryLater, which a handler throws on purpose. */
const inFull = (error: unknown): string => {
  const stack = isA(error, RetryLater) ? '' : stackOf(error);
  return describe(error) + (stack && `\n${stack}`);
};

const idOf = (task: unknown): string => (task as { taskId: string }).taskId;

type Listener<T, E extends keyof WorkerEvents<T>> = (event: WorkerEvents<T>[E]) => void;

/** Calls the host's function, which may throw or reject. */
const guarded = (call: () => unknown, failed: (error: unknown) => void): void =>
  void (async () => call())().catch(failed);

/** Passes events to listeners and to the log. A listener that throws stops nothing. */
export class Emitter<T> {
  private readonly listeners = new Map<string, Set<(event: any) => void>>();

  constructor(private readonly log: WorkerLog = () => undefined) {}

  /** Returns a function that stops listening. */
  on<E extends keyof WorkerEvents<T>>(name: E, listener: Listener<T, E>): () => void {
    const listeners = this.listeners.get(name) ?? new Set();
    this.listeners.set(name, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  emit<E extends keyof WorkerEvents<T>>(name: E, event: WorkerEvents<T>[E]): void {
    const [level, line] = LINES[name];
    this.write(level, () => line(event), event);
    for (const listener of this.listeners.get(name) ?? [])
      guarded(
        () => listener(event),
        (error) => this.write('error', () => `a listener of '${name}' threw: ${inFull(error)}`, { error }),
      );
  }

  private write(level: LogLevel, line: () => string, details: object): void {
    guarded(
      () => this.log(level, line(), details),
      // If the log itself fails, there is no place to report it.
      () => undefined,
    );
  }
}
