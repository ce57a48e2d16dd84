import { describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { createDatabase, describeOn, itAtOnceOn } from '../support/databases.js';
import { startHost } from '../support/host.js';
import { lives } from '../support/lives.js';
import { hasServer, PrivateDatabase } from '../support/private-servers.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/until.js';
import { Cluster } from './fixtures/cluster.js';
import { Load } from './fixtures/load.js';

/**
 * Milliseconds after which all is well again, once the way to the database is: ten seconds are promised, and a machine
 * that is busy with other things is given more.
 */
const RECOVERY = 20_000;
/** The longest that a request may take: a wait for a connection, a round trip, and one of somebody before it. */
const LONGEST = 30_000;

/** What holds at the end of any of it. */
async function expectSound(load: Load, url: string): Promise<void> {
  await load.stop();
  expect(load.wrong).toEqual([]);
  expect(load.slowest).toBeLessThan(LONGEST);
  const type = url.startsWith('postgres') ? 'postgres' : 'mysql';
  const dataSource = await new DataSource({ type, url } as never).initialize();
  expect(await load.lost(dataSource).finally(() => dataSource.destroy())).toEqual([]);
}

describe('a way to the database that fails', () => {
  itAtOnceOn(['mysql', 'postgres'])(
    'on %s: 503 and not ready meanwhile, and well within ten seconds of a good way',
    async (engine) => {
      const database = await createDatabase(engine);
      const proxy = await TcpProxy.start(database.url);
      const cluster = await Cluster.start(proxy.url, [{}]);
      const load = await Load.start(cluster.urls[0]!);
      try {
        // Open connections that are dropped without a word, while new ones are well.
        const { refused } = load;
        proxy.swallow();
        const since = performance.now();
        await proxy.mend();
        await until('clients are told', () => load.refused > refused);
        expect(await load.well(since)).toBeLessThan(RECOVERY);

        for (const mischief of ['cut', 'swallow'] as const) {
          const before = load.refused;
          proxy[mischief]();
          expect([mischief, await load.ready()]).toEqual([mischief, 503]);
          await until('clients are told', () => load.refused > before + 5);
          expect([mischief, await load.ready()]).toEqual([mischief, 503]);
          await proxy.mend();
          expect(await load.well(performance.now())).toBeLessThan(RECOVERY);
        }

        expect(await load.ready()).toBe(200);
        await expectSound(load, database.url);
        await database.drop();
        expect(await load.ready()).toBe(503);
      } finally {
        await load.stop();
        await cluster.stop();
        proxy.cut();
        await database.drop().catch(() => undefined);
      }
    },
    240_000,
  );
});

/** Sessions that were opened while the server took no writes keep to that for good: as after a fail-over. */
const FAILOVER = {
  mysql: {
    begin: ['SET GLOBAL tx_read_only = 1'],
    end: ['SET GLOBAL tx_read_only = 0'],
  },
  postgres: {
    begin: ['ALTER DATABASE app SET default_transaction_read_only = on'],
    end: ['SET default_transaction_read_only = off', 'ALTER DATABASE app RESET default_transaction_read_only'],
  },
};
describe('a server that has become read-only', () => {
  itAtOnceOn(['mysql', 'postgres'], hasServer)(
    'on %s: its sessions are given up, and new ones write',
    async (engine) => {
      const database = await PrivateDatabase.create(engine);
      const proxy = await TcpProxy.start(database.url);
      const cluster = await Cluster.start(proxy.url, [{}]);
      const load = await Load.start(cluster.urls[0]!);
      const admin = await new DataSource({ type: engine, url: database.url } as never).initialize();
      try {
        for (const statement of FAILOVER[engine].begin) await admin.query(statement);
        proxy.cut();
        await proxy.mend();
        await until('not ready', async () => (await load.ready()) === 503);
        const { refused } = load;
        await until('clients are told', () => load.refused > refused + 20);
        for (const statement of FAILOVER[engine].end) await admin.query(statement);
        expect(await load.well(performance.now())).toBeLessThan(RECOVERY);
        await expectSound(load, database.url);
      } finally {
        await load.stop();
        await admin.destroy();
        await cluster.stop();
        proxy.cut();
        await database.drop();
      }
    },
    120_000,
  );
});

/** Refusals to see; of those of statements sent one by one, some left a row behind. */
const STORM = 100;
describeOn('postgres')('statements that are cancelled', () => {
  it('take with them all that travels behind them: what was refused is not there', async () => {
    const database = await createDatabase('postgres');
    const host = await startHost({ adapter: 'fastify', engine: 'postgres', database });
    const canceller = new pg.Client({ connectionString: database.url });
    try {
      await canceller.connect();
      let cancelling = true;
      const cancel = async (): Promise<void> => {
        while (cancelling)
          await canceller.query(
            `SELECT pg_cancel_backend(pid) FROM pg_stat_activity CROSS JOIN generate_series(1, 500)
              WHERE datname = current_database() AND pid <> pg_backend_pid()`,
          );
      };
      const cancelled = cancel();
      const made: string[] = [];
      let refused = 0;
      while (refused < STORM)
        await host.tasks.create({ userId: 'alice', input: 'in' }).then(
          (task) => made.push(task.taskId),
          () => (refused += 1),
        );
      cancelling = false;
      await cancelled;
      const rows = await host.tasks.dataSource.query<{ id: string }[]>('SELECT id FROM tasks ORDER BY id');
      expect(rows.map(({ id }) => id)).toEqual([...made].sort());
    } finally {
      await canceller.end();
      await host.close();
      await database.drop();
    }
  }, 120_000);
});

describe('a MariaDB server with settings of another world', () => {
  (hasServer('mysql') ? it : it.skip)(
    'injects nothing, loses nothing',
    async () => {
      const server = await PrivateDatabase.create('mysql', [
        '--sql-mode=NO_BACKSLASH_ESCAPES,ANSI_QUOTES,ORACLE,EMPTY_STRING_IS_NULL',
        '--autocommit=0',
        '--completion-type=CHAIN',
        '--transaction-isolation=SERIALIZABLE',
        '--character-set-server=latin1',
        '--sql-safe-updates=1',
      ]);
      try {
        for (const adapter of ['express', 'fastify'] as const) {
          const host = await startHost({ adapter, engine: 'mysql', database: server });
          await lives(host).finally(() => host.close());
        }
      } finally {
        await server.drop();
      }
    },
    120_000,
  );
});
