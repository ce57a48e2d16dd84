import type { DataSource, QueryRunner } from 'typeorm';
import { Task, TASK_STATUS, type TaskStatusCatalogue } from '../../src/index.js';
import { TaskColumns } from '../../src/store/columns.js';
import type { TaskTable } from '../../src/store/dialect.js';
import { createDialect } from '../../src/store/dialects.js';
import { DueStore } from '../../src/store/due.store.js';
import { ListStore } from '../../src/store/list.store.js';
import { within } from '../../src/store/pooled.database.js';
import { ReadyStore } from '../../src/store/ready.store.js';
import type { Script } from '../../src/store/transaction.js';
import type { Engine } from '../support/databases.js';

/** The SQL of the queue, to be run on a connection that is watched. */
export function storesOf(dataSource: DataSource, engine: Engine) {
  const table: TaskTable = { table: 'tasks', status: TASK_STATUS as TaskStatusCatalogue, offsetMinutes: 0 };
  const dialect = createDialect(engine, table);
  const columns = new TaskColumns<Task>(dataSource, dataSource.getMetadata(Task), dialect);
  return {
    ready: new ReadyStore<Task>(dialect, columns, table),
    due: new DueStore(dialect, table),
    lists: new ListStore<Task>(dialect, columns),
  };
}

/** What the engine itself says of the connection's reads so far. */
const COUNTERS: Record<Engine, { sql: string; of: (rows: Record<string, unknown>[]) => number }> = {
  mysql: {
    sql: `SHOW SESSION STATUS LIKE 'Handler_read%'`,
    of: (rows) => rows.reduce((sum, row) => sum + Number(row.Value), 0),
  },
  postgres: {
    sql: `SELECT SUM(seq_tup_read + COALESCE(idx_tup_fetch, 0)) AS n FROM pg_stat_xact_user_tables`,
    of: ([row]) => Number(row!.n),
  },
  // No engine counts its rows less than SQLite: steps of its virtual machine, full scans and sorts beside.
  sqlite: {
    sql: `SELECT SUM(nstep) + 1000000 * SUM(nscan + nsort) AS n FROM sqlite_stmt WHERE sql LIKE '%tasks%'`,
    of: ([row]) => Number(row!.n),
  },
};

/** Runs a script in a transaction that is undone, and answers what it gave and what it read. */
export async function costOf<T>(
  dataSource: DataSource,
  engine: Engine,
  script: () => Script<T>,
): Promise<{ result: T; read: number }> {
  const runner = dataSource.createQueryRunner();
  const count = async (): Promise<number> =>
    COUNTERS[engine].of((await runner.query(COUNTERS[engine].sql)) as Record<string, unknown>[]);
  try {
    await begin(runner, engine);
    const [first, second] = [await count(), await count()];
    const result = await within(runner.manager, script);
    return { result, read: (await count()) - second - (second - first) };
  } finally {
    await runner.rollbackTransaction();
    await runner.release();
  }
}

async function begin(runner: QueryRunner, engine: Engine): Promise<void> {
  await runner.startTransaction(engine === 'sqlite' ? undefined : 'READ COMMITTED');
}

const COLUMNS = 'id, user_id, service, "group", status, created_at, run_at, lease_expires_at';
const SERIES: Record<Engine, (count: number, from: number) => string> = {
  mysql: (count, from) => series(count, from, "CONCAT('2026-01-01 00:00:00' + INTERVAL n SECOND, '')"),
  sqlite: (count, from) => series(count, from, "datetime('2026-01-01 00:00:00', n || ' seconds') || '.000'"),
  postgres: (count, from) => series(count, from, "TIMESTAMPTZ '2026-01-01 00:00:00+00' + make_interval(secs => n)"),
};
const series = (count: number, from: number, time: string): string =>
  `WITH RECURSIVE seq (n) AS (SELECT ${from} UNION ALL SELECT n + 1 FROM seq WHERE n + 1 < ${from + count})
  SELECT n, ${time} AS created FROM seq`;

/** Adds tasks as a long night leaves them, each second one of another service. */
export async function backlog(dataSource: DataSource, engine: Engine, count: number, status: number): Promise<void> {
  const [{ n }] = await dataSource.query<[{ n: unknown }]>('SELECT COUNT(*) AS n FROM tasks');
  const from = Number(n);
  const mysql = engine === 'mysql';
  const id = mysql ? "CONCAT('backlog-', n)" : "'backlog-' || n";
  const later = mysql
    ? "'2099-01-01 00:00:00'"
    : engine === 'postgres'
      ? "TIMESTAMPTZ '2099-01-01'"
      : "'2099-01-01 00:00:00.000'";
  const runAt = status === TASK_STATUS.WAITING ? later : 'NULL';
  const lease = status === TASK_STATUS.START ? later : 'NULL';
  const null_ = (value: string): string => (engine === 'postgres' && value === 'NULL' ? 'NULL::timestamptz' : value);
  const select = `SELECT ${id}, 'alice', CASE WHEN n % 2 = 1 THEN 'odd' ELSE 'even' END, 'g', ${status}, created,
    ${null_(runAt)}, ${null_(lease)} FROM (${SERIES[engine](count, from)}) numbers`;
  const columns = mysql ? COLUMNS.replaceAll('"', '`') : COLUMNS;
  const runner = dataSource.createQueryRunner();
  try {
    if (mysql)
      await runner.query(
        `SET SESSION ${(await isMariaDb(runner)) ? 'max_recursive_iterations' : 'cte_max_recursion_depth'} = 1000000`,
      );
    await runner.query(`INSERT INTO tasks (${columns}) ${select}`);
    if (engine === 'postgres') await runner.query('ANALYZE tasks');
    else if (mysql) await runner.query('ANALYZE TABLE tasks, tasks_ready');
  } finally {
    await runner.release();
  }
}

async function isMariaDb(runner: QueryRunner): Promise<boolean> {
  const [row] = (await runner.query('SELECT VERSION() AS version')) as { version: string }[];
  return row!.version.includes('MariaDB');
}
