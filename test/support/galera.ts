import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { accessSync, chownSync, cpSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import { machineHas } from './machine.js';
import { freePort } from './free-port.js';
import { accountOf, hasServer, ownTemporary } from './private-servers.js';
import { until } from './until.js';

const PROVIDERS = ['/usr/lib/galera/libgalera_smm.so', '/usr/lib64/galera-4/libgalera_smm.so'];
const PROVIDER = PROVIDERS.find((path) => existsSync(path));

/** Lost members are noticed in about three seconds. */
const GROUP =
  'gcache.size=16M;evs.keepalive_period=PT0.3S;evs.inactive_check_period=PT0.3S;evs.suspect_timeout=PT2S;evs.inactive_timeout=PT3S';

export const hasGalera = (): boolean =>
  hasServer('mysql') &&
  machineHas(
    'galera-4 with rsync',
    () => (accessSync(PROVIDER ?? PROVIDERS[0]!), execFileSync('rsync', ['--version'])),
  );

interface Node {
  /** Of clients, of the group, of state transfers. */
  ports: { client: number; group: number; sst: number; ist: number };
  data: string;
  log: string;
  child?: ChildProcess | undefined;
}

/** Three nodes of the test's own, which it may freeze and kill. */
export class Galera {
  private constructor(
    private readonly folder: string,
    private readonly nodes: Node[],
  ) {}

  static async create(): Promise<Galera> {
    const folder = mkdtempSync(join(tmpdir(), 'softdd-task-galera-'));
    const who = accountOf('mysql');
    if (who.uid !== undefined) chownSync(folder, who.uid, who.gid!);
    const first = join(folder, '0');
    const args = ['--no-defaults', `--datadir=${first}`, '--auth-root-authentication-method=normal', '--skip-test-db'];
    execFileSync('mariadb-install-db', args, { ...who, cwd: folder, env: ownTemporary(folder), stdio: 'pipe' });
    const nodes: Node[] = [];
    for (let index = 0; index < 3; index++) {
      const [client, group, sst, ist] = [await freePort(), await freePort(), await freePort(), await freePort()];
      nodes.push({
        ports: { client, group, sst, ist },
        data: join(folder, `${index}`),
        log: join(folder, `${index}.log`),
      });
    }
    for (const { data } of nodes.slice(1)) {
      cpSync(first, data, { recursive: true });
      if (who.uid !== undefined) execFileSync('chown', ['-R', 'mysql:', data]);
    }
    const cluster = new Galera(folder, nodes);
    await cluster.start(0, true);
    await Promise.all([cluster.start(1), cluster.start(2)]);
    await cluster.query(0, 'CREATE DATABASE app');
    return cluster;
  }

  url(index: number): string {
    return `mysql://root@127.0.0.1:${this.nodes[index]!.ports.client}/app`;
  }

  async query(index: number, sql: string): Promise<RowDataPacket[]> {
    const connection = await createConnection(this.url(index).replace(/app$/, 'mysql'));
    try {
      return (await connection.query<RowDataPacket[]>(sql))[0];
    } finally {
      await connection.end();
    }
  }

  /** Answers once the node serves its clients. */
  async start(index: number, bootstrap = false): Promise<void> {
    const node = this.nodes[index]!;
    const { client, group, sst, ist } = node.ports;
    const peers = this.nodes.map((each) => `127.0.0.1:${each.ports.group}`).join(',');
    const log = openSync(node.log, 'a');
    const child = spawn(
      'mariadbd',
      [
        '--no-defaults',
        ...[`--datadir=${node.data}`, `--port=${client}`, '--bind-address=127.0.0.1', `--socket=${node.data}.sock`],
        ...['--binlog-format=ROW', '--innodb-autoinc-lock-mode=2', '--innodb-buffer-pool-size=32M'],
        ...['--wsrep-on=ON', `--wsrep-provider=${PROVIDER}`, '--wsrep-cluster-name=test', '--wsrep-sst-method=rsync'],
        ...[`--wsrep-node-name=node${index}`, '--wsrep-node-address=127.0.0.1'],
        ...[
          `--wsrep-sst-receive-address=127.0.0.1:${sst}`,
          `--wsrep-cluster-address=gcomm://${bootstrap ? '' : peers}`,
        ],
        `--wsrep-provider-options=gmcast.listen_addr=tcp://127.0.0.1:${group};ist.recv_addr=127.0.0.1:${ist};${GROUP}`,
      ],
      { ...accountOf('mysql'), env: ownTemporary(this.folder), stdio: ['ignore', log, log] },
    );
    node.child = child;
    const ready = (): Promise<boolean> => {
      if (child.exitCode !== null)
        throw new Error(`node ${index} ended:\n${readFileSync(node.log, 'utf8').slice(-2000)}`);
      return this.isReady(index);
    };
    await until(`node ${index} is ready`, ready, 60);
  }

  /** Whether the node serves its clients: it is connected to a majority, and up to date. */
  async isReady(index: number): Promise<boolean> {
    const [row] = await this.query(index, "SHOW STATUS LIKE 'wsrep_ready'").catch(() => []);
    return row?.Value === 'ON';
  }

  signal(index: number, signal: NodeJS.Signals): void {
    this.nodes[index]!.child?.kill(signal);
  }

  drop(): void {
    for (const { child } of this.nodes) child?.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}
