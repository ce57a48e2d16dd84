import { DataSource } from 'typeorm';
import { runTaskMigrations, TASK_STATUS } from '../../dist/src/index.js';
import { dataSourceOptions } from '../contenders/softdd.js';

const { BEGIN, START, WAITING, FINISHED, ERROR, CANCELLED } = TASK_STATUS;
const CHUNK = 50_000;
/** The tasks of the last 7 days: as long as the metrics are kept. */
const DAYS = 7;
export const SERVICES = ['transcode', 'captions', 'thumbnails', 'mail', 'reports', 'imports', 'exports', 'ocr'];
export const OWNERS = 1000;
/** Of 200 tasks, the first ones that have each status: 850,000 of a million have ended, and 150,000 are open. */
const SHARES = [
  [160, FINISHED],
  [166, ERROR],
  [170, CANCELLED],
  [194, BEGIN],
  [199, WAITING],
  [200, START],
];

/** Per engine: hexadecimal text of a number, a time from milliseconds since 1970, and what to run before and after. */
const SAY = {
  mysql: {
    hex: (n, digits) => `LOWER(LPAD(HEX(${n}), ${digits}, '0'))`,
    time: (ms) => `TIMESTAMP'1970-01-01 00:00:00.000' + INTERVAL ((${ms}) * 1000) MICROSECOND`,
    concat: (...parts) => `CONCAT(${parts.join(', ')})`,
    floor: (n, by) => `(${n}) DIV ${by}`,
    before: ['SET SESSION max_recursive_iterations = 1000000', 'SET SESSION cte_max_recursion_depth = 1000000'],
    after: 'ANALYZE TABLE tasks, tasks_ready, tasks_metrics, tasks_callbacks, tasks_attempts',
  },
  postgres: {
    hex: (n, digits) => `lpad(to_hex((${n})::bigint), ${digits}, '0')`,
    time: (ms) => `TIMESTAMPTZ '1970-01-01 00:00:00+00' + make_interval(secs => (${ms})::double precision / 1000)`,
    concat: (...parts) => parts.map((part) => `(${part})::text`).join(' || '),
    floor: (n, by) => `(${n}) / ${by}`,
    before: [],
    after: 'VACUUM ANALYZE',
  },
  sqlite: {
    hex: (n, digits) => `printf('%0${digits}x', ${n})`,
    time: (ms) => `strftime('%Y-%m-%d %H:%M:%f', (${ms}) / 1000.0, 'unixepoch')`,
    concat: (...parts) => parts.join(' || '),
    floor: (n, by) => `(${n}) / ${by}`,
    before: [],
    after: 'ANALYZE',
  },
};

/** Makes the tables, and leaves so many tasks with all that an operator sees of them. Returns how many are open. */
export async function fill(url, tasks) {
  const dataSource = await new DataSource(dataSourceOptions(url)).initialize();
  const runner = dataSource.createQueryRunner();
  try {
    await runTaskMigrations(dataSource, {});
    const { before, after, ...say } = SAY[url.startsWith('sqlite') ? 'sqlite' : dataSource.options.type];
    // MariaDB knows the one, MySQL the other.
    for (const sql of before) await runner.query(sql).catch(() => undefined);
    const quote = url.startsWith('mysql') ? '`' : '"';
    const many = async (count, insert, columns) => {
      for (let made = 0; made < count; made += CHUNK) {
        const size = Math.min(CHUNK, count - made);
        await runner.query(`${insert}
          WITH RECURSIVE seq (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM seq WHERE i < ${size}),
            numbered AS (SELECT i + ${made} - 1 AS n FROM seq)
          SELECT ${columns.join(', ')} FROM numbered`);
      }
    };

    const gap = Math.floor((DAYS * 86_400_000) / tasks);
    const first = Date.now() - tasks * gap;
    const { hex, time, concat } = say;
    const created = `${first} + n * ${gap}`;
    // Ids as the server makes them sort by time: the search of operators relies on it.
    const part = (from, length) => `SUBSTR(${hex(created, 12)}, ${from}, ${length})`;
    const idOf = (n) => concat(part(1, 8), "'-'", part(9, 4), "'-7000-8000-'", hex(n, 12));
    // A multiplication mixes the statuses, the services and the owners.
    const status = `CASE ${SHARES.map(([to, value]) => `WHEN n % 200 < ${to} THEN ${value}`).join(' ')} END`;
    const service = `CASE n * 7 % 11 ${SERVICES.map((name, place) => `WHEN ${place} THEN '${name}'`).join(' ')} ELSE 'transcode' END`;
    const isEnded = `n % 200 < 170`;
    const wasTaken = `(n % 200 < 166 OR n % 200 >= 199)`;
    const when = (condition, value) => `CASE WHEN ${condition} THEN ${value} END`;
    const far = time('4102444800000');
    const soon = time(String(Date.now() + 3_600_000));
    await many(
      tasks,
      `INSERT INTO tasks (id, user_id, service, ${quote}group${quote}, status, input, error, attempts, worker_id, created_at,
        updated_at, started_at, finished_at, run_at, lease_expires_at)`,
      [
        idOf('n'),
        concat("'user-'", `n * 13 % ${OWNERS}`),
        service,
        when('n % 3 = 0', "'gpu'"),
        status,
        "'s3://bucket/in.mp4'",
        when('n % 200 >= 160 AND n % 200 < 166', "'CUDA out of memory'"),
        `CASE WHEN ${wasTaken} THEN 1 ELSE 0 END`,
        when(wasTaken, concat("'worker-'", 'n % 50')),
        time(created),
        when(isEnded, time(`${created} + 60000`)),
        when(wasTaken, time(`${created} + 5000`)),
        when(isEnded, time(`${created} + 60000`)),
        when('n % 200 >= 194 AND n % 200 < 199', far),
        when('n % 200 >= 199', soon),
      ],
    );
    const minutes = DAYS * 1440;
    await many(
      minutes * SERVICES.length,
      'INSERT INTO tasks_metrics (minute, service, created, started, finished, failed, wait_ms, wait_100, run_ms, run_1000)',
      [
        `${Math.floor(Date.now() / 60_000) - minutes + 1} + ${say.floor('n', SERVICES.length)}`,
        `CASE n % ${SERVICES.length} ${SERVICES.map((name, place) => `WHEN ${place} THEN '${name}'`).join(' ')} END`,
        ...['12', '11', '10', '1', '700', '11', '5000', '10'],
      ],
    );
    await many(
      tasks / 20,
      `INSERT INTO tasks_callbacks (id, task_id, type, url, origin, is_own, state, attempts, due_at, tries, created_at,
        ended_at, body)`,
      [
        concat(hex('n', 8), "'-0000-7000-8000-000000000000'"),
        idOf('n'),
        "'task.finished'",
        "'https://app.example.com/done'",
        "'https://app.example.com'",
        '0',
        "CASE n % 50 WHEN 0 THEN 'dead' WHEN 1 THEN 'pending' ELSE 'delivered' END",
        '1',
        when('n % 50 = 1', far),
        "'[]'",
        time(created),
        when('n % 50 <> 1', time(created)),
        "'{}'",
      ],
    );
    await many(
      tasks / 50,
      'INSERT INTO tasks_attempts (task_id, id, attempt, outcome, worker_id, started_at, ended_at, error)',
      [
        idOf('n'),
        concat(hex('n', 8), "'-0000-7000-8000-000000000000'"),
        '1',
        "'failed'",
        "'worker-1'",
        time(created),
        time(created),
        "'CUDA out of memory'",
      ],
    );
    await runner.query(after);
  } finally {
    await runner.release();
    await dataSource.destroy();
  }
}
