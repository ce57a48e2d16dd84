import { DataSource } from 'typeorm';
import { runTaskMigrations, TASK_STATUS } from '../../dist/src/index.js';
import { dataSourceOptions } from '../contenders/softdd.js';

const { BEGIN, START, WAITING } = TASK_STATUS;
const CHUNK = 50_000;

/** Per engine: row n's id and time of creation, and how deep a recursion may go. */
const SAY = {
  mysql: {
    id: (n) => `CONCAT('backlog-', ${n})`,
    time: (n) => `TIMESTAMP'2026-01-01 00:00:00' + INTERVAL (${n}) SECOND`,
    before: ['SET SESSION max_recursive_iterations = 1000000', 'SET SESSION cte_max_recursion_depth = 1000000'],
    after: 'ANALYZE TABLE tasks, tasks_ready',
  },
  postgres: {
    id: (n) => `'backlog-' || (${n})`,
    time: (n) => `TIMESTAMPTZ '2026-01-01 00:00:00+00' + make_interval(secs => ${n})`,
    before: [],
    after: 'VACUUM ANALYZE tasks',
  },
  sqlite: {
    id: (n) => `'backlog-' || (${n})`,
    time: (n) => `datetime('2026-01-01 00:00:00', (${n}) || ' seconds') || '.000'`,
    before: [],
    after: 'ANALYZE',
  },
};

/** Makes our table, and leaves so many tasks in it. */
export async function fill(url, { ready, delayed = 0, leased = 0 }) {
  const dataSource = await new DataSource(dataSourceOptions(url)).initialize();
  const runner = dataSource.createQueryRunner();
  try {
    await runTaskMigrations(dataSource, {});
    const say = SAY[url.startsWith('sqlite') ? 'sqlite' : url.startsWith('mysql') ? 'mysql' : 'postgres'];
    // MariaDB knows the one, MySQL the other.
    for (const sql of say.before) await runner.query(sql).catch(() => undefined);
    const quote = url.startsWith('mysql') ? '`' : '"';
    let made = 0;
    for (const [count, status] of [
      [leased, START],
      [delayed, WAITING],
      [ready, BEGIN],
    ])
      for (let left = count; left > 0; left -= CHUNK) {
        const n = `n + ${made}`;
        const later = say.time('1000000000');
        const due = (own) => (status === own ? later : url.startsWith('postgres') ? 'NULL::timestamptz' : 'NULL');
        await runner.query(`INSERT INTO tasks
          (id, user_id, service, ${quote}group${quote}, status, input, created_at, run_at, lease_expires_at)
          WITH RECURSIVE seq (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM seq WHERE n < ${Math.min(left, CHUNK)})
          SELECT ${say.id(n)}, 'bench', 'default', 'g', ${status}, 'input', ${say.time(n)}, ${due(WAITING)}, ${due(START)}
          FROM seq`);
        made += Math.min(left, CHUNK);
      }
    await runner.query(say.after);
  } finally {
    await runner.release();
    await dataSource.destroy();
  }
}
