import { randomUUID } from 'node:crypto';
import { TaskError } from '../contract/errors.js';
import type { Database } from '../database/database.js';
import type { KeyStore } from './stores/key.store.js';

/** Milliseconds within which a healthy database answers. */
const PATIENCE = 2000;

/**
 * Whether the queue can do its work: a write over its own connections that leaves nothing behind. All callers share one
 * check, so that the probes of an orchestrator cannot use up the pool of a database that does not answer.
 */
export class Readiness {
  private underWay: Promise<void> | undefined;

  constructor(
    private readonly database: Database,
    private readonly keys: KeyStore,
  ) {}

  /** Resolves if the queue can work. Otherwise UNAVAILABLE after at most 2 s, with the reason as `cause`. */
  async check(): Promise<void> {
    this.underWay ??= this.write().finally(() => (this.underWay = undefined));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`the database did not answer within ${PATIENCE} ms`)), PATIENCE);
    });
    try {
      await Promise.race([this.underWay, late]);
    } catch (cause) {
      throw new TaskError('UNAVAILABLE', undefined, { cause });
    } finally {
      clearTimeout(timer);
    }
  }

  private async write(): Promise<void> {
    await this.database.check(() => this.keys.probe(`ready ${randomUUID()}`));
  }
}
