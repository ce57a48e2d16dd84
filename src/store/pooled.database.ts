import type { EventEmitter } from 'node:events';
import { DataSource, type DataSourceOptions, type EntityManager } from 'typeorm';
import { openConnection } from './connection.js';
import type { Database } from './database.js';
import { engineOf } from './engine.js';
import { type QueryResult, type Row, runAsync, type Script, type Statement } from './transaction.js';

/**
 * MySQL, MariaDB and PostgreSQL, over a pool of our own with the host's settings: a host that keeps its connections
 * busy holds up no task, and the other way round, and ours may send several statements at once.
 */
export class PooledDatabase implements Database {
  readonly oneWriter = false;

  private constructor(private readonly pool: DataSource) {}

  static async open(host: DataSource): Promise<PooledDatabase> {
    const pool = await new DataSource(poolOptions(host)).initialize();
    if (engineOf(pool) === 'postgres') hearErrors(pool);
    return new PooledDatabase(pool);
  }

  async attempt<T>(script: () => Script<T>): Promise<T> {
    const connection = await openConnection(this.pool);
    const { begin, commit } = connection;
    try {
      return await runAsync(script(), (statements) => connection.send(statements), begin, commit);
    } catch (error) {
      await connection.rollback();
      throw error;
    } finally {
      connection.release();
    }
  }

  async read<T>(script: () => Script<T>): Promise<T> {
    const connection = await openConnection(this.pool);
    try {
      return await runAsync(script(), (statements) => connection.send(statements));
    } finally {
      connection.release();
    }
  }

  within<T>(manager: EntityManager, script: () => Script<T>): Promise<T> {
    return within(manager, script);
  }

  async close(): Promise<void> {
    await this.pool.destroy();
  }
}

/**
 * A server that ends a connection with its very first words is heard before whoever asked for that connection can
 * listen, and an error that nobody listens to would end the process. The next query tells of it.
 */
function hearErrors({ driver }: DataSource): void {
  const { master } = driver as unknown as { master: EventEmitter };
  master.on('connect', (client: EventEmitter) => client.on('error', () => undefined));
}

/** The host's settings, without what is the host's own. */
function poolOptions(host: DataSource): DataSourceOptions {
  const options = {
    ...host.options,
    entities: [],
    subscribers: [],
    migrations: [],
    migrationsRun: false,
    synchronize: false,
    dropSchema: false,
    cache: false,
  };
  return engineOf(host) === 'postgres'
    ? ({
        ...options,
        installExtensions: false,
        extra: { ...(host.options.extra as object), pipeline: true },
      } as DataSourceOptions)
    : ({ ...options, multipleStatements: true } as DataSourceOptions);
}

/** A script on the query runner of a caller's transaction. */
export async function within<T>(manager: EntityManager, script: () => Script<T>): Promise<T> {
  const runner = manager.queryRunner;
  if (!runner?.isTransactionActive)
    throw new TypeError('`manager` has no open transaction: pass the one that dataSource.transaction() hands you.');
  const numbered = runner.connection.options.type === 'postgres';
  const execute = async ({ sql, text, values }: Statement): Promise<QueryResult> => {
    const result = await runner.query(numbered ? text : sql, values, true);
    return { rows: (result.records ?? []) as Row[], affected: result.affected ?? 0 };
  };
  return runAsync(script(), async (statements) => {
    const results: QueryResult[] = [];
    for (const statement of statements) results.push(await execute(statement));
    return results;
  });
}
