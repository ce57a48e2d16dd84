import type { EntityManager } from 'typeorm';
import type { Database } from '../database/database.js';
import type { Script } from '../database/transaction.js';

/** A database that tells how long its own transactions take. */
export class TimedDatabase implements Database {
  readonly oneWriter: boolean;
  /** Called after each transaction, also after one that failed. */
  took: (milliseconds: number) => void = () => undefined;

  constructor(private readonly database: Database) {
    this.oneWriter = database.oneWriter;
  }

  async attempt<T>(script: () => Script<T>): Promise<T> {
    const began = performance.now();
    try {
      return await this.database.attempt(script);
    } finally {
      this.took(performance.now() - began);
    }
  }

  read<T>(script: () => Script<T>): Promise<T> {
    return this.database.read(script);
  }

  within<T>(manager: EntityManager, script: () => Script<T>): Promise<T> {
    return this.database.within(manager, script);
  }

  check(script: () => Script<void>): Promise<void> {
    return this.database.check(script);
  }

  close(): Promise<void> {
    return this.database.close();
  }
}
