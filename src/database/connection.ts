import type { Logger } from 'typeorm';
import { DEADLINES } from './deadlines.js';
import { endsSession } from './session-errors.js';
import type { QueryResult, Statement } from './transaction.js';

/**
 * A connection of our pool, without TypeORM's query runner, which needs as long for a short statement as the driver and
 * the network together, and sends one statement at a time. TypeORM's logger still gets every statement.
 */
export abstract class Connection {
  /** READ COMMITTED: under REPEATABLE READ the gap locks of claims deadlock with inserts. */
  abstract readonly begin: Statement[];
  abstract readonly commit: Statement[];
  protected abstract readonly undo: Statement[];
  /** The driver's connection. */
  abstract readonly client: object;

  /** `performance.now()` of the last answer. */
  heardAt = performance.now();
  private broken = false;
  /**
   * Called when the session turns out to be unusable. Sessions that have been silent since then may be unusable, too.
   */
  onLoss: ((since: number) => void) | undefined;

  protected constructor(private readonly logger: Logger) {}

  get isBroken(): boolean {
    return this.broken;
  }

  /**
   * Sets the session variables that the queue relies on, whose defaults may differ, and checks them. Once per
   * connection. Throws if one does not hold.
   */
  abstract prepare(): Promise<void>;

  /** Sends the statements together, and returns the result of each. After a failed statement none runs. */
  async send(statements: Statement[]): Promise<QueryResult[]> {
    for (const { sql, values } of statements) this.logger.logQuery(sql, values);
    try {
      return await this.roundTrip(statements, DEADLINES.roundTrip);
    } catch (error) {
      const { sql, values } = statements.at(-1)!;
      this.logger.logQueryError(error as Error, sql, values);
      throw error;
    }
  }

  /** If this fails, the connection is gone, and its transaction with it. */
  async rollback(): Promise<void> {
    if (!this.broken) await this.roundTrip(this.undo, DEADLINES.roundTrip).catch(() => this.discard());
  }

  /** Whether the connection still answers. */
  async works(): Promise<boolean> {
    return this.roundTrip([plain('SELECT 1')], DEADLINES.probe).then(
      () => true,
      () => false,
    );
  }

  /** Returns the connection to the pool, or drops it if it is broken. */
  abstract release(): void;
  protected abstract transmit(statements: Statement[]): Promise<QueryResult[]>;
  /** Closes the connection at once, also during a statement. */
  protected abstract close(): void;

  /** The connection is unusable. */
  discard(): void {
    if (this.broken) return;
    this.broken = true;
    this.close();
  }

  private async roundTrip(statements: Statement[], patience: number): Promise<QueryResult[]> {
    const sentAt = performance.now();
    try {
      const results = await inTime(this.transmit(statements), patience);
      this.heardAt = performance.now();
      return results;
    } catch (error) {
      if (endsSession(error)) {
        this.discard();
        this.onLoss?.(error instanceof Silence ? sentAt : performance.now());
      } else this.heardAt = performance.now();
      throw error;
    }
  }
}

/** The database did not answer in time. */
export class Silence extends Error {
  readonly code = 'ETIMEDOUT';
}

/** Rejects with a Silence if the work takes longer than this many milliseconds. */
export function inTime<T>(work: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    // One turn later, because if this process was blocked, the answer may have arrived and not been read yet.
    const late = (): void => reject(new Silence(`the database did not answer within ${ms} ms`));
    const timer = setTimeout(() => setImmediate(late), ms);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

export const plain = (text: string): Statement => ({ sql: text, text, values: [] });
