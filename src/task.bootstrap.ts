import { HttpService } from '@nestjs/axios';
import axios from 'axios';
import type { DataSource, EntityMetadata } from 'typeorm';
import { openCallbacks, type Outside } from './callback/open.js';
import type { Task } from './contract/task.entity.js';
import { type TaskEventType, TaskEvents } from './core/events.js';
import { LifeCycle } from './core/life-cycle.js';
import { Policies } from './core/policy.js';
import type { Queue, QueueSettings } from './core/queue.js';
import { Sweeper } from './core/sweeper.js';
import { TaskService } from './core/task.service.js';
import { WaitingRoom } from './core/waiting.js';
import { schemaProblems, type TaskMigrationOptions, taskMigrations } from './migrations/index.js';
import { assertNotNewer, ledgerTable, quoted, runTaskMigrations } from './migrations/runner.js';
import { Batcher } from './store/batcher.js';
import { TaskColumns } from './store/columns.js';
import { openDatabase, reading } from './store/database.js';
import type { TaskTable } from './store/dialect.js';
import { createDialect } from './store/dialects.js';
import { DueStore } from './store/due.store.js';
import { engineProblem, skipLockedProblem } from './store/engine.check.js';
import { engineOf, schemaOf } from './store/engine.js';
import { offsetMinutes } from './store/offset.js';
import { KeyStore } from './store/key.store.js';
import { ListStore } from './store/list.store.js';
import { ReadyStore } from './store/ready.store.js';
import { lockSqlite } from './store/sqlite.lock.js';
import { TaskStore } from './store/task.store.js';
import { dtoFields } from './http/input.pipe.js';
import { type OptionProblem, type ResolvedTaskOptions, TaskOptionsError } from './task.options.js';

/** What a task ends with. */
const ENDS: TaskEventType[] = ['finished', 'failed', 'cancelled'];

/** A running queue, and how to stop it. */
export interface TaskQueue<T extends Task = Task> {
  service: TaskService<T>;
  /** Names of the migrations that ran at this start. */
  migrated: string[];
  /** Pending callbacks that these options have nobody deliver; counted to a thousand. */
  strandedCallbacks(): Promise<number>;
  /** Begins to move tasks whose time has come, and to deliver callbacks. */
  start(): void;
  /** Moves those whose time has come now, once. */
  sweep(): Promise<void>;
  /** Answers the claims that wait, so that their requests can end. */
  endWaits(): void;
  /** Begins no more deliveries. */
  drain(): void;
  close(): Promise<void>;
}

/** From options and a data source to a running queue: every check that needs the database, each with its remedy. */
export async function bootstrapQueue<T extends Task>(
  options: ResolvedTaskOptions,
  dataSource: DataSource,
  outside: Outside = { http: new HttpService(axios.create()) },
): Promise<TaskQueue<T>> {
  const fail = (option: string, msg: string): never => {
    throw new TaskOptionsError(options.name, [{ option, msg }]);
  };
  const metadata = entityMetadata(options, dataSource, fail);
  const schema = { table: metadata.tableName, status: options.status, timeZone: options.timeZone };
  const runner = dataSource.createQueryRunner();
  const problem = await engineProblem(dataSource, runner).finally(() => runner.release());
  if (problem) fail('dataSource', problem);
  const unlock = lockSqlite(dataSource, metadata.tableName);
  try {
    const migrated = options.migrate ? await runTaskMigrations(dataSource, schema) : [];
    await checkDatabase(dataSource, schema, fail);
    await checkOwnColumns(dataSource, metadata, fail);
    return { ...(await open<T>(options, dataSource, metadata, outside, unlock)), migrated };
  } catch (error) {
    unlock();
    throw error;
  }
}

function entityMetadata(
  options: ResolvedTaskOptions,
  dataSource: DataSource,
  fail: (option: string, msg: string) => never,
): EntityMetadata {
  const { entity, table, dto } = options;
  if (!dataSource.hasMetadata(entity))
    fail(
      'entity',
      `${entity.name} is not in the data source; add it to \`entities\`, or set \`autoLoadEntities: true\` in TypeOrmModule.forRoot()` +
        (Object.hasOwn(entity, 'prototype') ? `, and decorate it with @Entity('tasks', { synchronize: false })` : ''),
    );
  const metadata = dataSource.getMetadata(entity);
  if (table !== undefined && metadata.tableName !== table)
    fail('table', `is ${table}, but ${entity.name} is stored in ${metadata.tableName}; leave the option out`);
  const where = [metadata.schema, metadata.database].filter((name) => name !== undefined).join('.');
  const { database } = dataSource.options;
  if (
    (metadata.schema ?? schemaOf(dataSource)) !== schemaOf(dataSource) ||
    (metadata.database ?? database) !== database
  )
    fail('entity', `${entity.name} is stored in ${where}; keep it where the data source's other tables are`);
  const columns = metadata.columns.map((column) => column.propertyName);
  const problems: OptionProblem[] = (dto ? dtoFields(dto) : [])
    .filter((field) => !columns.includes(field))
    .map((field) => ({ option: 'dto', msg: `${dto!.name}.${field} is no column of ${entity.name}; add an @Column()` }));
  if (problems.length > 0) throw new TaskOptionsError(options.name, problems);
  return metadata;
}

async function checkDatabase(
  dataSource: DataSource,
  schema: TaskMigrationOptions & { table: string },
  fail: (option: string, msg: string) => never,
): Promise<void> {
  const runner = dataSource.createQueryRunner();
  let ledger: string | undefined;
  try {
    await assertNotNewer(dataSource, runner, schema);
    const problems = await schemaProblems(runner, schema);
    if (problems.length > 0)
      fail(
        'table',
        `the schema of ${schema.table} is not what the options ask for: ${problems.join('; ')}. ` +
          'Run the migrations (taskMigrations() with the same `table` and `status`; option `migrate` does it at start), ' +
          'and keep `synchronize` off for the entity, which undoes them',
      );
    if (await runner.hasColumn(ledgerTable(dataSource), 'name').catch(() => false))
      ledger = quoted(dataSource, ledgerTable(dataSource));
  } finally {
    await runner.release();
  }
  if (!ledger) return;
  const [newest] = taskMigrations(schema).map((Migration) => new Migration().name);
  const problem = await skipLockedProblem(dataSource, `SELECT name FROM ${ledger} WHERE name = '${newest}'`);
  if (problem) fail('dataSource', problem);
}

/** The host's own columns are its own migration's. */
async function checkOwnColumns(
  dataSource: DataSource,
  metadata: EntityMetadata,
  fail: (option: string, msg: string) => never,
): Promise<void> {
  const runner = dataSource.createQueryRunner();
  try {
    const present = new Set((await runner.getTable(metadata.tablePath))?.columns.map((column) => column.name));
    const missing = metadata.columns.map((column) => column.databaseName).filter((name) => !present.has(name));
    if (missing.length > 0)
      fail(
        'entity',
        `${metadata.name} has column ${missing.join(', ')}, and table ${metadata.tableName} has not; ` +
          'add it by a migration of your own',
      );
  } finally {
    await runner.release();
  }
}

async function open<T extends Task>(
  options: ResolvedTaskOptions,
  dataSource: DataSource,
  metadata: EntityMetadata,
  outside: Outside,
  unlock: () => void,
): Promise<Omit<TaskQueue<T>, 'migrated'>> {
  const table: TaskTable = {
    table: metadata.tableName,
    schema: schemaOf(dataSource),
    status: options.status,
    offsetMinutes: offsetMinutes(options.timeZone),
  };
  const dialect = createDialect(engineOf(dataSource)!, table);
  const columns = new TaskColumns<T>(dataSource, metadata, dialect);
  const database = await openDatabase(dataSource);
  const batcher = new Batcher(database);
  const lifeCycle = new LifeCycle(options.status);
  const callbacks = openCallbacks<T>(options, { dialect, database, batcher, lifeCycle }, outside);
  const { dispatcher } = callbacks;
  const queue: Queue<T> = {
    database,
    batcher,
    tasks: new TaskStore<T>(dialect, columns, table),
    lists: new ListStore<T>(dialect, columns),
    ready: new ReadyStore<T>(dialect, columns, table),
    due: new DueStore(dialect, table),
    keys: new KeyStore(dialect),
    callbacks: callbacks.store,
    targets: callbacks.targets,
    outbox: callbacks.outbox,
    lifeCycle,
    policies: new Policies(options, options.services),
    events: new TaskEvents<T>(),
    settings: settingsOf(options),
  };
  const waiting = new WaitingRoom(options.maxWaiters, (filters) =>
    reading(queue.database, () => queue.ready.probe(filters)),
  );
  queue.events.on(({ type, task }) => {
    if (type === 'ready') {
      queue.ready.madeReady(task);
      waiting.ready(task);
    }
    if (ENDS.includes(type)) dispatcher?.wake();
  });
  const sweeper = new Sweeper(queue);
  return {
    service: new TaskService<T>(queue, waiting, dataSource, callbacks.callbacks),
    strandedCallbacks: () => callbacks.stranded(),
    start() {
      sweeper.start();
      dispatcher?.start();
    },
    sweep: () => sweeper.sweep(),
    endWaits: () => waiting.close(),
    drain: () => void dispatcher?.drain(),
    async close() {
      waiting.close();
      await Promise.all([sweeper.stop(), dispatcher?.stop()]);
      await queue.database.close();
      unlock();
    },
  };
}

function settingsOf(options: ResolvedTaskOptions): QueueSettings {
  const { status, initialStatus = status.INIT, retention, ...rest } = options;
  const seconds = (days: number | undefined): number | undefined => (days === undefined ? undefined : days * 86_400);
  return {
    ...rest,
    maxActiveTasks: options.maxActiveTasks,
    initialStatus,
    retention: { finished: seconds(retention.finished), failed: seconds(retention.failed) },
    callbackRetention: options.callbackRetention * 86_400,
  };
}
