import { describe, type StopReason } from './errors.js';

/** What a worker tells of itself. */
export interface WorkerEvents<T> {
  /** A handler begins. */
  started: { task: T };
  finished: { task: T; output: string | undefined };
  /** An attempt failed; `retry`: another one may follow. */
  failed: { task: T; error: unknown; retry: boolean };
  /** Given back, at shutdown. */
  released: { task: T };
  /** The task is not this worker's any more: what the handler makes of it counts no longer. */
  lost: { task: T; reason: StopReason };
  /** The queue refused a report, for breaking a rule. */
  refused: { task: T; error: Error };
  /** The queue can't be reached: it is asked again and again. Told once, until it is reachable. */
  unreachable: { error: Error };
  reachable: object;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Takes what a worker would print, if it printed: a sentence, and what it is about. */
export type WorkerLog = (level: LogLevel, message: string, details: object) => void;

const LINES: { [E in keyof WorkerEvents<unknown>]: [LogLevel, (event: WorkerEvents<any>[E]) => string] } = {
  started: ['debug', ({ task }) => `${idOf(task)} started`],
  finished: ['info', ({ task }) => `${idOf(task)} finished`],
  failed: ['warn', ({ task, error, retry }) => `${idOf(task)} failed${retry ? '' : ' for good'}: ${describe(error)}`],
  released: ['info', ({ task }) => `${idOf(task)} given back`],
  lost: ['warn', ({ task, reason }) => `${idOf(task)} lost: ${reason}`],
  refused: ['error', ({ task, error }) => `${idOf(task)}: a report was refused: ${error.message}`],
  unreachable: ['warn', ({ error }) => `the queue can't be reached, trying on: ${error.message}`],
  reachable: ['info', () => 'the queue can be reached again'],
};

const idOf = (task: unknown): string => (task as { taskId: string }).taskId;

type Listener<T, E extends keyof WorkerEvents<T>> = (event: WorkerEvents<T>[E]) => void;

/** Calls what is theirs, which may throw or reject. */
const guarded = (call: () => unknown, failed: (error: unknown) => void): void =>
  void (async () => call())().catch(failed);

/** Hands events to listeners, and to the log. One of theirs that throws stops nothing. */
export class Emitter<T> {
  private readonly listeners = new Map<string, Set<(event: any) => void>>();

  constructor(private readonly log: WorkerLog = () => undefined) {}

  /** Answers how to stop listening. */
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
        (error) => this.write('error', () => `a listener of '${name}' threw: ${describe(error)}`, { error }),
      );
  }

  private write(level: LogLevel, line: () => string, details: object): void {
    guarded(
      () => this.log(level, line(), details),
      // Whoever logs for us has nowhere to say it.
      () => undefined,
    );
  }
}
