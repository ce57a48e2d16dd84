import { DataSource, type DataSourceOptions } from 'typeorm';
import { type Connection, inTime } from './connection.js';
import { DEADLINES } from './deadlines.js';
import { engineOf } from './engine.js';
import { MysqlConnection } from './mysql.connection.js';
import { PostgresConnection } from './postgres.connection.js';
import { obtainMysql, obtainPostgres, onPostgresConnect } from './typeorm-internals.js';

/**
 * Our own connections with the host's settings. So a host with busy connections delays no task, and the queue delays no
 * host. Each connection has set and checked what the queue relies on. Connections that may be dead are not handed out.
 */
export class Pool {
  /** When a client last answered. A client that is missing here is new. */
  private readonly heard = new WeakMap<object, number>();
  /** Connections that have been silent since before this time may be dead. */
  private distrusted = 0;

  private constructor(
    private readonly dataSource: DataSource,
    private readonly hostColumns: ReadonlySet<string>,
  ) {}

  static async open(host: DataSource, hostColumns: ReadonlySet<string>): Promise<Pool> {
    const dataSource = await new DataSource(poolOptions(host)).initialize();
    if (engineOf(dataSource) === 'postgres') hearErrors(dataSource);
    const pool = new Pool(dataSource, hostColumns);
    try {
      pool.put(await pool.take());
    } catch (error) {
      await pool.close();
      throw error;
    }
    return pool;
  }

  /** A connection that works, as far as this can be known. */
  async take(): Promise<Connection> {
    for (;;) {
      const connection = await this.obtain();
      connection.onLoss = (since) => (this.distrusted = Math.max(this.distrusted, since));
      const heardAt = this.heard.get(connection.client);
      try {
        if (heardAt === undefined) await connection.prepare();
        else if (await this.isDead(connection, heardAt)) connection.discard();
        if (!connection.isBroken) return connection;
      } catch (error) {
        connection.discard();
        connection.release();
        throw error;
      }
      connection.release();
    }
  }

  put(connection: Connection): void {
    this.heard.set(connection.client, connection.heardAt);
    connection.release();
  }

  close(): Promise<void> {
    return this.dataSource.destroy();
  }

  private async isDead(connection: Connection, heardAt: number): Promise<boolean> {
    const quiet = performance.now() - heardAt;
    if (heardAt < this.distrusted || quiet > DEADLINES.stale) return true;
    return quiet > DEADLINES.quiet && !(await connection.works());
  }

  private async obtain(): Promise<Connection> {
    const { logger } = this.dataSource;
    if (engineOf(this.dataSource) === 'postgres') {
      const [client, release] = await soon(obtainPostgres(this.dataSource), ([, late]) => late());
      return new PostgresConnection(logger, client, release, this.hostColumns);
    }
    const client = await soon(obtainMysql(this.dataSource), (late) => late.release());
    return new MysqlConnection(logger, client, this.hostColumns);
  }
}

/** The connection, if it is obtained in time. A late one is given back. */
function soon<T>(obtaining: Promise<T>, giveBack: (late: T) => void): Promise<T> {
  return inTime(obtaining, DEADLINES.acquire).catch((error: unknown) => {
    obtaining.then(giveBack, () => undefined);
    throw error;
  });
}

/**
 * If a server ends a connection with its first packet, the error comes before the caller can listen to it, and an error
 * without a listener would end the process. The next query reports it.
 */
function hearErrors(dataSource: DataSource): void {
  onPostgresConnect(dataSource, (client) => client.on('error', () => undefined));
}

/** The host's settings, without those that only concern the host, and with those that the queue relies on. */
function poolOptions(host: DataSource): DataSourceOptions {
  const { replication, extra, ...settings } = host.options as DataSourceOptions & {
    replication?: { master: object };
    extra?: Record<string, unknown>;
  };
  const options = {
    ...settings,
    // Claims write, so replicas are of no use.
    ...replication?.master,
    entities: [],
    subscribers: [],
    migrations: [],
    migrationsRun: false,
    synchronize: false,
    dropSchema: false,
    cache: false,
  };
  return (engineOf(host) === 'postgres'
    ? {
        ...options,
        installExtensions: false,
        extra: {
          ...extra,
          // Our own pipeline sends statements together.
          pipeline: false,
          connectionTimeoutMillis: atMost(
            DEADLINES.connect,
            extra?.connectionTimeoutMillis ?? (settings as { connectTimeoutMS?: unknown }).connectTimeoutMS,
          ),
          keepAlive: true,
          keepAliveInitialDelayMillis: DEADLINES.keepAlive,
        },
      }
    : {
        ...options,
        extra: {
          ...extra,
          multipleStatements: true,
          charset: 'utf8mb4',
          queryFormat: undefined,
          // It would reset the session variables.
          resetOnRelease: false,
          waitForConnections: true,
          queueLimit: 0,
          connectTimeout: atMost(
            DEADLINES.connect,
            extra?.connectTimeout ?? (settings as { connectTimeout?: unknown }).connectTimeout,
          ),
          enableKeepAlive: true,
          keepAliveInitialDelay: DEADLINES.keepAlive,
        },
      }) as unknown as DataSourceOptions;
}

const atMost = (most: number, given: unknown): number =>
  typeof given === 'number' && given > 0 ? Math.min(given, most) : most;
