import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataSource, type DataSourceOptions } from 'typeorm';
import type { TestDatabase } from './databases.js';
import { freePort } from './free-port.js';
import { machineHas } from './machine.js';

type PooledEngine = 'mysql' | 'postgres';

/** Where Debian keeps PostgreSQL's own programs; others have them on the path. */
const postgresFolder = (): string => {
  const versions = existsSync('/usr/lib/postgresql') ? readdirSync('/usr/lib/postgresql').sort() : [];
  return versions.length > 0 ? `/usr/lib/postgresql/${versions.at(-1)}/bin/` : '';
};

const PROGRAMS = {
  mysql: { account: 'mysql', server: 'mariadbd', install: 'mariadb-install-db' },
  postgres: { account: 'postgres', server: `${postgresFolder()}postgres`, install: `${postgresFolder()}initdb` },
};

/** Milliseconds in which the processes of a killed server end. */
const PATIENCE = 30_000;

/** A database that is there from the start. */
const ADMIN = { mysql: 'mysql', postgres: 'postgres' };

/** Database servers refuse to run as root. */
export function accountOf(name: string): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string): number => Number(execFileSync('id', [flag, name], { stdio: 'pipe' }));
  return { uid: id('-u'), gid: id('-g') };
}

/** Whether this machine has the programs for a server of our own. */
export const hasServer = (engine: PooledEngine): boolean =>
  machineHas(PROGRAMS[engine].server, () => execFileSync(PROGRAMS[engine].server, ['--version'], { stdio: 'pipe' }));

/** At its start MariaDB deletes the temporary tables in its folder for them: in a shared one, also those of others. */
export const ownTemporary = (folder: string): NodeJS.ProcessEnv => ({ ...process.env, TMPDIR: folder });

/** A database server of the test's own, which it may configure and kill. */
export class PrivateDatabase implements TestDatabase {
  private child: ChildProcess | undefined;

  private constructor(
    readonly engine: PooledEngine,
    readonly folder: string,
    readonly port: number,
    private readonly settings: string[],
  ) {}

  /** `settings` are further arguments of the server, as `--max-allowed-packet=1M` or `-c`, `statement_timeout=1s`. */
  static async create(engine: PooledEngine, settings: string[] = []): Promise<PrivateDatabase> {
    const folder = mkdtempSync(join(tmpdir(), 'softdd-task-db-'));
    const { account, install } = PROGRAMS[engine];
    const who = accountOf(account);
    if (who.uid !== undefined) chownSync(folder, who.uid, who.gid!);
    const data = join(folder, 'data');
    const args =
      engine === 'mysql'
        ? ['--no-defaults', `--datadir=${data}`, '--auth-root-authentication-method=normal', '--skip-test-db']
        : ['-D', data, '-A', 'trust', '-U', 'postgres', '--no-sync'];
    execFileSync(install, args, { ...who, cwd: folder, env: ownTemporary(folder), stdio: 'pipe' });
    const database = new PrivateDatabase(engine, folder, await freePort(), settings);
    await database.start();
    await database.administer('CREATE DATABASE app');
    return database;
  }

  get url(): string {
    return this.engine === 'mysql'
      ? `mysql://root@127.0.0.1:${this.port}/app`
      : `postgres://postgres@127.0.0.1:${this.port}/app`;
  }

  options(): DataSourceOptions {
    const { url } = this;
    return this.engine === 'mysql'
      ? { type: 'mariadb', url, charset: 'utf8mb4', timezone: 'Z', poolSize: 8 }
      : { type: 'postgres', url, poolSize: 8 };
  }

  async start(): Promise<void> {
    const { folder, port, engine } = this;
    const data = join(folder, 'data');
    const args =
      engine === 'mysql'
        ? ['--no-defaults', `--datadir=${data}`, `--port=${port}`, '--bind-address=127.0.0.1', `--socket=${folder}/s`]
        : ['-D', data, '-p', String(port), '-h', '127.0.0.1', '-k', folder];
    const { account, server } = PROGRAMS[engine];
    const run = (): ChildProcess =>
      spawn(server, [...args, ...this.settings], {
        ...accountOf(account),
        env: ownTemporary(folder),
        stdio: 'ignore',
      });
    this.child = run();
    const deadline = Date.now() + PATIENCE;
    // PostgreSQL listens before it is up, and after a crash for as long as it recovers.
    while (!(await this.administer('SELECT 1').then(Boolean, () => false))) {
      if (this.child.exitCode !== null) {
        if (engine === 'mysql' || Date.now() > deadline)
          throw new Error(`${server} ended at its start: ${this.child.spawnargs.join(' ')}`);
        // It does not start while processes of a killed one are still there.
        this.child = run();
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  private async administer(sql: string): Promise<unknown> {
    const { engine: type, url } = this;
    const admin = await new DataSource({ type, url: url.replace(/app$/, ADMIN[type]) }).initialize();
    return admin.query(sql).finally(() => admin.destroy());
  }

  /** kill -9: what was committed is on disk, or it was not committed. */
  async kill(): Promise<void> {
    const ended = new Promise((resolve) => this.child!.once('close', resolve));
    this.child!.kill('SIGKILL');
    await ended;
  }

  async drop(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export const listens = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => (socket.destroy(), resolve(true))).on('error', () => resolve(false));
  });
