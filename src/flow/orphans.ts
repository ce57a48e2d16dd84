import { type Database, reading, transaction } from '../database/database.js';
import type { ServiceStore } from './service.store.js';

/** Milliseconds between two checks of a service that stays full. */
const REST = 10_000;
/** Entries that one statement looks for. */
const PIECE = 500;

/**
 * Removes what counts as running without a task that runs. On MySQL and MariaDB triggers keep the set of running tasks,
 * and TRUNCATE and cascades of foreign keys fire none. Such entries would keep a service full for all time. So services
 * that are full are checked. Elsewhere there is nothing to check.
 */
export class Orphans {
  private readonly checkedAt = new Map<string, number>();

  constructor(
    private readonly database: Database,
    private readonly store: ServiceStore,
  ) {}

  /** Checks those of these full services whose last check is long ago. Returns whether there is room again. */
  async remove(full: readonly string[], now: number): Promise<boolean> {
    if (!this.store.mayHaveOrphans) return false;
    const due = full.filter((service) => now - (this.checkedAt.get(service) ?? -Infinity) >= REST);
    for (const service of due) this.checkedAt.set(service, now);
    const { store, database } = this;
    let hasRoom = false;
    while (due.length > 0 && (await reading(database, () => store.orphans(due, PIECE))).length > 0) {
      // Under the lock of the services no claim can start one of these tasks.
      await transaction(database, () => store.removeOrphans(due, PIECE));
      hasRoom = true;
    }
    return hasRoom;
  }
}
