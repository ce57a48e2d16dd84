import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createConnection as connect } from 'node:net';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createConnection } from 'mysql2/promise';
import pg from 'pg';

const run = promisify(execFile);
const MYSQL = process.env.BENCH_MYSQL_URL ?? 'mysql://root@127.0.0.1:3306';
const POSTGRES = process.env.BENCH_POSTGRES_URL ?? 'postgres://postgres@127.0.0.1:5432';

let made = 0;
const newName = () => `softdd_task_bench_${process.pid}_${++made}`;

async function onMysql(sql) {
  const connection = await createConnection(MYSQL);
  const [rows] = await connection.query(sql).finally(() => connection.end());
  return rows;
}

async function onPostgres(sql, url = `${POSTGRES}/postgres`) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query(sql).finally(() => client.end());
  return rows;
}

/** What can be measured on: each makes a fresh database, and says what it promises to keep through a crash. */
const KINDS = {
  sqlite: {
    async create() {
      const folder = mkdtempSync(join(tmpdir(), 'softdd-bench-'));
      return { url: `sqlite:${join(folder, 'bench.sqlite')}`, drop: async () => rmSync(folder, { recursive: true }) };
    },
    describe: async () => ['SQLite (embedded)', 'WAL, synchronous=FULL'],
  },
  mysql: {
    async create() {
      const name = newName();
      await onMysql(`CREATE DATABASE ${name}`);
      return { url: `${MYSQL}/${name}`, drop: () => onMysql(`DROP DATABASE ${name}`) };
    },
    async describe() {
      const [row] = await onMysql('SELECT VERSION() AS version, @@innodb_flush_log_at_trx_commit AS flush');
      if (row.flush !== 1) throw new Error('innodb_flush_log_at_trx_commit must be 1: a commit must be on disk');
      return [row.version, 'innodb_flush_log_at_trx_commit=1'];
    },
  },
  postgres: {
    async create() {
      const name = newName();
      await onPostgres(`CREATE DATABASE ${name}`);
      return { url: `${POSTGRES}/${name}`, drop: () => onPostgres(`DROP DATABASE ${name} WITH (FORCE)`) };
    },
    async describe() {
      const [row] = await onPostgres(
        "SELECT version() AS version, current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commit",
      );
      if (row.fsync !== 'on' || row.commit !== 'on') throw new Error('fsync and synchronous_commit must be on');
      return [row.version.split(' on ')[0], 'fsync=on, synchronous_commit=on'];
    },
  },
  redis: {
    /** A server of its own, so that it keeps what it is told: appendonly, written to disk each second. */
    async create() {
      const folder = mkdtempSync(join(tmpdir(), 'softdd-bench-redis-'));
      const port = 20_000 + (process.pid % 20_000) + ++made;
      const options = ['--appendonly', 'yes', '--appendfsync', 'everysec', '--save', '', '--dir', folder];
      const server = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', ...options]);
      await listening(port);
      return {
        url: `redis://127.0.0.1:${port}`,
        async drop() {
          server.kill();
          await once(server, 'exit');
          rmSync(folder, { recursive: true });
        },
      };
    },
    async describe() {
      const { stdout } = await run('redis-server', ['--version']);
      return [`Redis ${/v=([\d.]+)/.exec(stdout)[1]}`, 'appendonly, appendfsync=everysec'];
    },
  },
};

async function listening(port) {
  for (let tries = 0; tries < 100; tries++) {
    const socket = connect(port, '127.0.0.1');
    const [event] = await Promise.race([once(socket, 'connect').then(() => ['up']), once(socket, 'error')]).catch(
      () => [],
    );
    socket.destroy();
    if (event === 'up') return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`nothing listens on port ${port}`);
}

/** A fresh database for one run. */
export const createDatabase = (kind) => KINDS[kind].create();

/** kind -> what it is and how durable, for those that are there; the others with the reason. */
export async function findDatabases() {
  const found = {};
  const missing = {};
  for (const kind of Object.keys(KINDS))
    await KINDS[kind].describe().then(
      (description) => (found[kind] = description.join(', ')),
      (error) => (missing[kind] = error.message || error.code),
    );
  return { found, missing };
}

export const machine = () => ({
  cpu: `${cpus().length} x ${cpus()[0].model}`,
  memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
  system: /PRETTY_NAME="(.*)"/.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? process.platform,
  node: process.version,
});

/** Runs SQL on a database of the bench's. */
export const query = (url, sql) =>
  url.startsWith('mysql')
    ? createConnection(url).then((connection) => connection.query(sql).finally(() => connection.end()))
    : onPostgres(sql, url);
