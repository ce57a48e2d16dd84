import { type Database, reading } from '../database/database.js';
import type { TaskAttempt } from './attempt.js';
import type { AttemptStore } from './attempt.store.js';
import { KEPT } from './prune-attempts.js';

/** What the processes of a queue have recorded. */
export class Metrics {
  constructor(
    private readonly database: Database,
    private readonly attempts: AttemptStore,
  ) {}

  /** The newest 100 failed attempts of a task, oldest first. Those of earlier runs come first. */
  async attemptsOf(taskId: string): Promise<TaskAttempt[]> {
    return reading(this.database, () => this.attempts.of(taskId, KEPT));
  }
}
