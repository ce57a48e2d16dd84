// How long the upgrade of a large original table takes, and for how long a writer beside it waits:
//   npm run build && node bench/adoption.js mysql://root@127.0.0.1:3306/scratch 1000000
// The database must be there; its tables `tasks`, `tasks_*` and `adoption_migrations` are dropped before and after.
import { DataSource } from 'typeorm';
import { runTaskMigrations } from '../dist/src/index.js';
import { dataSourceOptions } from './contenders/softdd.js';

const [url, count = '1000000'] = process.argv.slice(2);
if (!url) throw new Error('usage: node bench/adoption.js <url of a database to scratch> [rows]');
const postgres = url.startsWith('postgres');
/** The column types of Laravel's migration. */
const ORIGINAL = postgres
  ? `CREATE TABLE tasks (id uuid NOT NULL PRIMARY KEY, user_id uuid NOT NULL, service varchar(32) NOT NULL DEFAULT 'default',
      status smallint NOT NULL DEFAULT 0, progress smallint NOT NULL DEFAULT 0, input text, args text, temp text, output text,
      created_at timestamp(0) NULL, updated_at timestamp(0) NULL)`
  : `CREATE TABLE tasks (id char(36) NOT NULL PRIMARY KEY, user_id char(36) NOT NULL, service varchar(32) NOT NULL DEFAULT 'default',
      status smallint NOT NULL DEFAULT 0, progress tinyint NOT NULL DEFAULT 0, input text, args text, temp text, output text,
      created_at timestamp NULL, updated_at timestamp NULL) DEFAULT CHARSET utf8mb4 COLLATE utf8mb4_unicode_ci`;
const UUID = postgres ? 'gen_random_uuid()' : 'UUID()';
const NOW = 'CURRENT_TIMESTAMP';
const row = (n) =>
  `SELECT ${UUID}, ${UUID}, 'default', 30, 100, ${postgres ? `repeat('i', 200)` : `REPEAT('i', 200)`}, ${NOW}, ${NOW} FROM ${n}`;
const INSERT = 'INSERT INTO tasks (id, user_id, service, status, progress, input, created_at, updated_at)';

const open = () =>
  new DataSource({
    ...dataSourceOptions(url),
    migrationsTableName: 'adoption_migrations',
    logging: false,
  }).initialize();
const [owner, writer] = [await open(), await open()];
const drop = async () => {
  for (const table of ['tasks', 'tasks_ready', 'tasks_keys', 'tasks_callbacks', 'adoption_migrations'])
    await owner.query(`DROP TABLE IF EXISTS ${table}`);
};
await drop();
await owner.query(ORIGINAL);
await owner.query(`${INSERT} ${row('(SELECT 1) one')}`);
for (let rows = 1; rows < Number(count); rows *= 2)
  await owner.query(`${INSERT} ${row('tasks')} LIMIT ${Math.min(rows, Number(count) - rows)}`);

let writing = true;
let longest = 0;
let written = 0;
const writes = (async () => {
  while (writing) {
    const begun = performance.now();
    await writer.query(`${INSERT} ${row('(SELECT 1) one')}`);
    longest = Math.max(longest, performance.now() - begun);
    written += 1;
    await new Promise((next) => setTimeout(next, 20));
  }
})();
const begun = performance.now();
await runTaskMigrations(owner, {});
const took = performance.now() - begun;
writing = false;
await writes;
console.log(
  `${count} rows: ${(took / 1000).toFixed(1)} s in all; of ${written} inserts beside it the slowest took ${(longest / 1000).toFixed(1)} s`,
);
await drop();
await Promise.all([owner.destroy(), writer.destroy()]);
