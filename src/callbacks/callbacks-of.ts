import type { DataSource } from 'typeorm';
import { TASK_STATUS, type TaskStatusCatalogue } from '../contract/status.js';
import { createDialect } from '../database/dialects/create-dialect.js';
import { engineOf, schemaOf } from '../database/engine.js';
import { openDatabase } from '../database/open-database.js';
import { bothTimes } from '../database/stored-time.js';
import { BacklogStore } from './backlog.store.js';
import { CallbackStore } from './callback.store.js';
import { Callbacks } from './callbacks.service.js';

/** Callbacks keep their own times in UTC, independent of the table of tasks. */
const UTC = bothTimes({ offsetMinutes: 0, digits: 3, zoned: false });

/**
 * Lists and replays callbacks over the database alone, without a queue in this process: for operators' scripts. A
 * process that delivers finds a replayed callback within 2 s. The data source must be initialized and its migrations
 * must have run. `table` is the table of tasks.
 */
export async function withTaskCallbacks<T>(
  dataSource: DataSource,
  { table = 'tasks' }: { table?: string },
  work: (callbacks: Callbacks) => Promise<T>,
): Promise<T> {
  const status = TASK_STATUS as TaskStatusCatalogue;
  const database = await openDatabase(dataSource, new Set());
  try {
    const dialect = createDialect(engineOf(dataSource)!, { table, schema: schemaOf(dataSource), status, times: UTC });
    const store = new CallbackStore(dialect);
    return await work(new Callbacks(database, store, new BacklogStore(dialect), () => undefined));
  } finally {
    await database.close();
  }
}
