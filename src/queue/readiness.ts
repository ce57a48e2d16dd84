import { randomUUID } from 'node:crypto';
import { TaskError } from '../contract/errors.js';
import { type Database, reading } from '../database/database.js';
import { codeOf, isMissing } from '../database/failure-classes.js';
import type { Script } from '../database/transaction.js';
import type { ProcessState } from './process-state.js';
import type { KeyStore } from './stores/key.store.js';

/** Milliseconds within which a healthy database answers. */
const PATIENCE = 2000;

/** Whether the queue can work, and what each part of it says. */
export interface TaskReadiness {
  ready: boolean;
  parts: {
    /** `ok` if the database takes the queue's writes, or why not. */
    database: string;
    /** `ok` if all tables and columns of the queue are there, or what to do. */
    schema: string;
    /** `ok` while this process works, or why it does not. */
    process: string;
  };
}

const OK = 'ok';

class Late extends Error {
  constructor() {
    super(`the database did not answer within ${PATIENCE} ms`);
  }
}

/**
 * Whether the queue can do its work: a write over its own connections that leaves nothing behind. All callers share one
 * check, so that the probes of an orchestrator cannot use up the pool of a database that does not answer.
 */
export class Readiness {
  private writing: Promise<void> | undefined;
  private looking: Promise<void> | undefined;

  constructor(
    private readonly database: Database,
    private readonly keys: KeyStore,
    private readonly process: ProcessState,
    /** Fails if a table or a column is missing. */
    private readonly tables: () => Script<void>,
  ) {}

  /** Resolves if the queue can work. Otherwise UNAVAILABLE after at most 2 s, with the reason as `cause`. */
  async check(): Promise<void> {
    const failure = await this.failureOfWrite();
    if (failure !== undefined) throw new TaskError('UNAVAILABLE', undefined, { cause: failure });
  }

  /** What each part says. Never rejects, and takes at most 2 s. No secrets: a probe may be open to everyone. */
  async report(): Promise<TaskReadiness> {
    const [write, look] = await Promise.all([this.failureOfWrite(), this.failureOfLook()]);
    const parts = {
      // The write needs a table, too: a database that misses it answers.
      database: write === undefined || isMissing(write) ? OK : unfit(write),
      schema: this.schema(write, look),
      process: this.process.problem ?? OK,
    };
    return { ready: Object.values(parts).every((part) => part === OK), parts };
  }

  private schema(write: unknown, look: unknown): string {
    if (isMissing(look) || isMissing(write)) return 'a table or a column is missing; run the migrations';
    return look === undefined ? OK : 'unknown, because the database does not answer';
  }

  private failureOfWrite(): Promise<unknown> {
    this.writing ??= this.write().finally(() => (this.writing = undefined));
    return failureOf(this.writing);
  }

  private failureOfLook(): Promise<unknown> {
    this.looking ??= reading(this.database, this.tables).finally(() => (this.looking = undefined));
    return failureOf(this.looking);
  }

  private async write(): Promise<void> {
    await this.database.check(() => this.keys.probe(`ready ${randomUUID()}`));
  }
}

/** Why it failed, or that it took too long. undefined: it did not. */
async function failureOf(work: Promise<void>): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Late()), PATIENCE);
  });
  try {
    await Promise.race([work, late]);
    return undefined;
  } catch (error) {
    return error instanceof TaskError && error.cause !== undefined ? error.cause : error;
  } finally {
    clearTimeout(timer);
  }
}

function unfit(failure: unknown): string {
  if (failure instanceof Late) return failure.message;
  const code = codeOf(failure);
  return `takes no writes of the queue now${code === undefined ? '' : ` (${code})`}`;
}
