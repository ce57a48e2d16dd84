import { HttpService } from '@nestjs/axios';
import axios from 'axios';
import type { DataSource, EntityMetadata } from 'typeorm';
import { ofBatch, tasksOfBatch } from './batches/of-batch.js';
import { openBatches } from './batches/open.js';
import { openBulks } from './bulk/open.js';
import { openCallbacks, type Outside } from './callbacks/open.js';
import type { Task } from './contract/task.entity.js';
import { TaskEvents } from './queue/events.js';
import { controlsFlow } from './flow/flow.options.js';
import { openFlow } from './flow/open.js';
import { hangOn } from './queue/after-commit.js';
import { Gates } from './queue/gates.js';
import { Hooks } from './queue/hooks.js';
import { LifeCycle } from './queue/life-cycle.js';
import { isOperated } from './operator/operator.options.js';
import { Operator } from './operator/operator.js';
import { Overviews } from './operator/overview.js';
import { WorkerStore } from './operator/worker.store.js';
import { MoveDue } from './maintenance/move-due.js';
import { callbackGauge, serviceGauges } from './task.gauges.js';
import { recordsMetrics } from './metrics/metrics.options.js';
import { openMetrics } from './metrics/open.js';
import { TimedDatabase } from './metrics/timed-database.js';
import { pruneJob } from './polling/prune.js';
import { PruneTasks } from './maintenance/prune-tasks.js';
import { Poller, type Service } from './polling/poller.js';
import { TaskService } from './service/task.service.js';
import { ProcessState } from './queue/process-state.js';
import { Readiness } from './queue/readiness.js';
import { findSideTables } from './schema/presence.js';
import { Traces } from './protocol/traces.js';
import { Policies } from './queue/service-policy.js';
import type { Queue } from './queue/queue.js';
import { queueSettings } from './queue/queue.options.js';
import { WaitingRoom } from './queue/waiting/waiting-room.js';
import { openSchedules } from './schedules/open.js';
import { storedTimes, type TaskMigrationOptions } from './schema/migrations.js';
import { runTaskMigrations } from './schema/runner.js';
import { GroupCommit } from './database/group-commit.js';
import { TaskColumns } from './queue/stores/columns.js';
import { reading } from './database/database.js';
import { openDatabase } from './database/open-database.js';
import type { TaskTable } from './database/dialects/dialect.js';
import { createDialect } from './database/dialects/create-dialect.js';
import { DueStore } from './queue/stores/due.store.js';
import { RetentionStore } from './queue/stores/retention.store.js';
import { engineProblem } from './database/engine.check.js';
import { engineOf, schemaOf } from './database/engine.js';
import { LiveRoom } from './live/live-room.js';
import { LiveStore } from './live/live.store.js';
import { KeyStore } from './queue/stores/key.store.js';
import { ListStore } from './queue/stores/list.store.js';
import { ReadyStore } from './queue/stores/ready.store.js';
import { SearchStore } from './queue/stores/search.store.js';
import { lockSqlite } from './database/sqlite.lock.js';
import type { StoredTimes } from './database/stored-time.js';
import { TaskStore } from './queue/stores/task.store.js';
import { TaskOptionsError } from './contract/options.error.js';
import type { ResolvedTaskOptions } from './options/task.options.js';
import { checkDatabase, checkOwnColumns, entityMetadata } from './task.preflight.js';

/** A running queue, and how to stop it. */
export interface TaskQueue<T extends Task = Task> {
  service: TaskService<T>;
  /** Names of the migrations that ran at this start. */
  migrated: string[];
  /** Pending callbacks that nobody delivers with these options, counted up to 1,000. */
  strandedCallbacks(): Promise<number>;
  /** Starts to move due tasks, and to deliver callbacks. */
  start(): void;
  /** Moves the due tasks now, once. */
  sweep(): Promise<void>;
  /** Answers the waiting claims and ends the event streams, so that their requests can end. */
  endWaits(): void;
  /** Starts no more deliveries. */
  drain(): void;
  close(): Promise<void>;
}

/**
 * Makes a running queue from options and a data source. Runs every check that needs the database; each names its
 * remedy.
 */
export async function bootstrapQueue<T extends Task>(
  options: ResolvedTaskOptions,
  dataSource: DataSource,
  outside: Outside = { http: new HttpService(axios.create()) },
): Promise<TaskQueue<T>> {
  const fail = (option: string, msg: string): never => {
    throw new TaskOptionsError(options.name, [{ option, msg }]);
  };
  const metadata = entityMetadata(options, dataSource, fail);
  const schema: TaskMigrationOptions & { table: string } = {
    table: metadata.tableName,
    status: options.status,
    timeZone: options.timeZone,
    turns: controlsFlow({ services: options.services, isOperated: isOperated(options) }),
  };
  const runner = dataSource.createQueryRunner();
  const problem = await engineProblem(dataSource, runner).finally(() => runner.release());
  if (problem) fail('dataSource', problem);
  const unlock = lockSqlite(dataSource, metadata.tableName);
  try {
    const migrated = options.migrate ? await runTaskMigrations(dataSource, schema) : [];
    await checkDatabase(dataSource, schema, fail);
    await checkOwnColumns(dataSource, metadata, fail);
    const times = await readTimes(dataSource, schema);
    return { ...(await open<T>(options, dataSource, metadata, times, outside, unlock, fail)), migrated };
  } catch (error) {
    unlock();
    throw error;
  }
}

async function readTimes(dataSource: DataSource, schema: TaskMigrationOptions): Promise<StoredTimes> {
  const runner = dataSource.createQueryRunner();
  return storedTimes(runner, schema).finally(() => runner.release());
}

async function open<T extends Task>(
  options: ResolvedTaskOptions,
  dataSource: DataSource,
  metadata: EntityMetadata,
  times: StoredTimes,
  outside: Outside,
  unlock: () => void,
  fail: (option: string, msg: string) => never,
): Promise<Omit<TaskQueue<T>, 'migrated'>> {
  const table: TaskTable = {
    table: metadata.tableName,
    schema: schemaOf(dataSource),
    status: options.status,
    times,
  };
  const dialect = createDialect(engineOf(dataSource)!, table);
  const columns = new TaskColumns<T>(dataSource, metadata, dialect);
  const opened = await openDatabase(dataSource, columns.hostColumns);
  const isWatched = recordsMetrics(options) || (options.metrics === undefined && isOperated(options));
  const database = isWatched ? new TimedDatabase(opened) : opened;
  const gates = new Gates();
  const policies = new Policies(options, options.services);
  const queue: Queue<T> = {
    database,
    groupCommit: new GroupCommit(database),
    tasks: new TaskStore<T>(dialect, columns, table),
    lists: new ListStore<T>(dialect, columns),
    search: new SearchStore(dialect, tasksOfBatch(dialect)),
    ready: new ReadyStore<T>(dialect, columns, table, gates),
    due: new DueStore(dialect, table, columns.size),
    retained: new RetentionStore(dialect, table),
    keys: new KeyStore(dialect),
    lifeCycle: new LifeCycle(options.status),
    rulesOf: (service) => ({ status: options.status, policy: policies.of(service) }),
    gates,
    hooks: new Hooks(),
    events: new TaskEvents<T>(),
    settings: queueSettings(options),
    traces: await Traces.load(),
  };
  const waiting = new WaitingRoom(options.maxWaiters, (filters) => reading(database, () => queue.ready.probe(filters)));
  const moveDue = new MoveDue(queue);
  const live = new LiveRoom<T>(queue, new LiveStore(dialect, ofBatch(dialect)), options);
  const callbacks = openCallbacks<T>(options, dialect, queue, outside);
  const flow = await openFlow(queue, dialect, waiting, {
    services: options.services,
    isOperated: isOperated(options),
  });
  const metrics = await openMetrics<T>({ ...options, metrics: isWatched }, dialect, queue, [
    callbackGauge(callbacks.callbacks),
    ...serviceGauges(flow.services),
  ]);
  hangOn(queue, waiting);
  const schedules = await openSchedules<T>(options, dialect, queue, fail);
  const batches = openBatches<T>(
    options,
    dialect,
    queue,
    callbacks.notices,
    isOperated(options) || options.batchUri !== 'off',
  );
  const { bulks, runner } = openBulks(queue, dialect, isOperated(options));
  const parts = {
    database,
    dialect,
    metrics: metrics.metrics,
    services: flow.services,
    callbacks: callbacks.callbacks,
    schedules: schedules.schedules,
    batches: batches.batches,
    workers: new WorkerStore(dialect, options.status.WAITING),
  };
  const operator = new Operator<T>(queue, { ...parts, bulks, overviews: new Overviews(parts) });
  if (options.onOperator) operator.onAction(options.onOperator);
  const pruneTasks = new PruneTasks(queue);
  const prunes = [
    pruneJob('deleting old keys', database, (limit) => queue.keys.purge(limit)),
    ...callbacks.jobs,
    ...batches.jobs,
    ...metrics.jobs,
    ...(pruneTasks.isNeeded ? [pruneTasks] : []),
  ];
  const state = new ProcessState();
  const readiness = new Readiness(database, queue.keys, state, function* () {
    yield* queue.tasks.probe();
    yield* findSideTables(dialect);
  });
  const services: Service[] = [
    state,
    waiting,
    live,
    ...[moveDue, ...prunes].map((job) => new Poller(job)),
    ...callbacks.services,
    ...flow.running,
    ...schedules.running,
    ...batches.running,
    runner,
  ];
  return {
    service: new TaskService<T>(
      queue,
      { waiting, live, metrics: metrics.metrics, readiness },
      dataSource,
      callbacks.callbacks,
      callbacks.targets,
      bulks,
      schedules.schedules,
      batches.batches,
      operator,
    ),
    strandedCallbacks: () => callbacks.stranded(),
    start: () => services.forEach((service) => service.start?.()),
    async sweep() {
      await moveDue.runNow();
      for (const job of prunes) await job.run(() => false);
    },
    endWaits() {
      state.drain();
      waiting.drain();
      live.drain();
    },
    drain: () => services.forEach((service) => void service.drain?.()),
    async close() {
      await Promise.all(services.map((service) => service.stop()));
      await metrics.close();
      await database.close();
      unlock();
    },
  };
}
