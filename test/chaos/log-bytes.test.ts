import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { DataSource } from 'typeorm';
import type { TaskModuleOptions } from '../../src/index.js';
import { Poller } from '../../src/polling/poller.js';
import { Look } from '../../src/queue/stores/low-water.js';
import { createDatabase, describeOn, type TestDatabase } from '../support/databases.js';
import { type Host, startHost } from '../support/host.js';
import { hasServer, PrivateDatabase } from '../support/private-servers.js';
import { until } from '../support/until.js';
import { lives } from '../unit/flow/fixtures/lives.js';

const RATE = { max: 1, per: 86_400, burst: 1 };
const OTHERS = { gpu: { maxRunning: 1 }, api: { rate: RATE }, off: { paused: true } };
/** The tasks are those of the service `free`. In the last one it has a limit itself: what a mark costs is seen. */
const HOSTS: Record<string, TaskModuleOptions> = {
  none: {},
  others: { services: OTHERS },
  itself: { services: { ...OTHERS, free: { maxRunning: 100 } } },
};
const ROUNDS = 6;
/** Where a row stands in its page makes a round cost a little more or less. */
const SAME = 0.06;

/** What happens beside our transactions writes to the log, too. */
const QUIET = {
  mysql: ['--innodb-stats-auto-recalc=0'],
  postgres: ['-c', 'autovacuum=off', '-c', 'full_page_writes=off', '-c', 'checkpoint_timeout=1d'],
};

const LSN = `SHOW GLOBAL STATUS LIKE 'Innodb_redo_log_current_lsn'`;

describeOn('mysql', 'postgres')('bytes of the log on %s', (name) => {
  const engine = name as keyof typeof QUIET;
  let isPrivate: boolean;
  let database: TestDatabase;
  let hosts: Map<string, Host>;
  beforeEach(async () => {
    // What a process looks for by itself is no cost of a task.
    jest.spyOn(Poller.prototype as any, 'look').mockResolvedValue(undefined as never);
    // Where a look begins depends on how quick the last one was.
    jest.spyOn(Look.prototype, 'start', 'get').mockReturnValue(undefined);
    // A server that nobody else uses, where this machine has the programs for one. MySQL's it has not.
    isPrivate = hasServer(engine) && !(await isMysql());
    database = await (isPrivate ? PrivateDatabase.create(engine, QUIET[engine]) : createDatabase(engine));
    hosts = new Map();
    for (const [name, options] of Object.entries(HOSTS))
      hosts.set(name, await startHost({ engine, adapter: 'express', database, options }));
  }, 120_000);
  afterEach(async () => {
    jest.restoreAllMocks();
    for (const host of hosts.values()) await host.app.close();
    await database?.drop();
  });

  async function isMysql(): Promise<boolean> {
    if (engine !== 'mysql') return false;
    const asked = await new DataSource({ type: 'mysql', url: process.env.TEST_MYSQL_URL! }).initialize();
    const [{ version }] = await asked.query('SELECT VERSION() AS version');
    await asked.destroy();
    return !/mariadb/i.test(version);
  }

  const value = async (sql: string): Promise<number> => {
    const [row] = await hosts.get('none')!.app.get(DataSource).query(sql);
    return Number(Object.values(row).at(-1));
  };

  /** The end of the log, once all is in it that belongs to what was committed. */
  async function position(): Promise<number> {
    if (engine === 'postgres') return value(`SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0') AS n`);
    if (isPrivate) {
      const history = `SHOW GLOBAL STATUS LIKE 'Innodb_history_list_length'`;
      await until('deleted rows are purged', async () => (await value(history)) === 0);
      return value(`SHOW GLOBAL STATUS LIKE 'Innodb_lsn_current'`);
    }
    // MySQL's history is seldom empty, also when all is purged: then the log stands still.
    return until('the log stands still', async () => {
      const end = await value(LSN);
      await new Promise((resolve) => setTimeout(resolve, 1000));
      return (await value(LSN)) === end ? end : undefined;
    });
  }

  it('are the same for a service without limits, whether others have some or not', async () => {
    const rounds = new Map([...hosts.keys()].map((name): [string, number[]] => [name, []]));
    for (const host of hosts.values()) await lives(host, false);
    // In turn, each of them first in some rounds, because rows add up.
    const order = [...hosts];
    for (let round = 0; round < ROUNDS; round++, order.push(order.shift()!))
      for (const [name, host] of order) {
        const before = await position();
        await lives(host, false);
        rounds.get(name)!.push((await position()) - before);
      }
    const least = Object.fromEntries([...rounds].map(([name, bytes]) => [name, Math.min(...bytes)]));
    process.stdout.write(`  ${engine}: ${JSON.stringify(least)}\n`);
    expect(Math.abs(least.others! / least.none! - 1)).toBeLessThan(SAME);
    expect(least.itself! / least.none! - 1).toBeGreaterThan(SAME);
  });
});
