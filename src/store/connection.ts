import type { DataSource, Logger } from 'typeorm';
import { engineOf } from './engine.js';
import type { QueryResult, Row, Statement } from './transaction.js';

type MysqlResult = Row[] | { affectedRows: number };
/** What we use of a mysql2 connection. */
interface MysqlClient {
  query(sql: string, values: unknown[], done: (error: Error | null, result: MysqlResult | MysqlResult[]) => void): void;
  release(): void;
  destroy(): void;
}
/** What we use of a pg client. */
interface PostgresClient {
  query(text: string, values: unknown[]): Promise<{ rows: Row[]; rowCount: number | null }>;
  on(event: 'error', listener: () => void): void;
  off(event: 'error', listener: () => void): void;
}
/** What we use of TypeORM's drivers: the call that its query runners make for a connection of the pool. */
interface MysqlPool {
  obtainMasterConnection(): Promise<MysqlClient>;
}
interface PostgresPool {
  obtainMasterConnection(): Promise<[client: PostgresClient, release: (broken?: boolean) => void]>;
}

/** Takes a connection of the pool. */
export async function openConnection(dataSource: DataSource): Promise<Connection> {
  const { driver, logger } = dataSource;
  if (engineOf(dataSource) !== 'postgres')
    return new MysqlConnection(logger, await (driver as unknown as MysqlPool).obtainMasterConnection());
  const [client, release] = await (driver as unknown as PostgresPool).obtainMasterConnection();
  return new PostgresConnection(logger, client, release);
}

/**
 * A connection of the pool, spoken to directly: TypeORM's query runner takes as long for a short statement as the
 * driver and the network do, and sends one at a time. TypeORM's logger hears of every statement all the same.
 */
export abstract class Connection {
  /** READ COMMITTED: under REPEATABLE READ the claims' gap locks deadlock with inserts. */
  abstract readonly begin: Statement[];
  readonly commit: Statement[] = [plain('COMMIT')];

  protected constructor(private readonly logger: Logger) {}

  /** Sends statements in one go, and answers what each of them gave; none runs after one that failed. */
  async send(statements: Statement[]): Promise<QueryResult[]> {
    for (const { sql, values } of statements) this.logger.logQuery(sql, values);
    try {
      return await this.transmit(statements);
    } catch (error) {
      const { sql, values } = statements.at(-1)!;
      this.logger.logQueryError(error as Error, sql, values);
      throw error;
    }
  }

  /** Where this fails the connection is gone, and the transaction with it. */
  async rollback(): Promise<void> {
    await this.transmit([plain('ROLLBACK')]).catch(() => this.discard());
  }

  /** Gives it back to the pool. */
  abstract release(): void;
  protected abstract transmit(statements: Statement[]): Promise<QueryResult[]>;
  /** The connection is of no more use. */
  protected abstract discard(): void;
}

class MysqlConnection extends Connection {
  readonly begin = [plain('SET TRANSACTION ISOLATION LEVEL READ COMMITTED'), plain('START TRANSACTION')];

  constructor(
    logger: Logger,
    private readonly client: MysqlClient,
  ) {
    super(logger);
  }

  release(): void {
    this.client.release();
  }

  protected transmit(statements: Statement[]): Promise<QueryResult[]> {
    const text = statements.map(({ sql }) => sql).join(';\n');
    const values = statements.flatMap((statement) => statement.values);
    return new Promise((resolve, reject) => {
      this.client.query(text, values, (error, answer) => {
        if (error) return reject(error);
        const results = statements.length > 1 ? (answer as MysqlResult[]) : [answer as MysqlResult];
        resolve(
          results.map((result) =>
            Array.isArray(result) ? { rows: result, affected: 0 } : { rows: [], affected: result.affectedRows },
          ),
        );
      });
    });
  }

  protected discard(): void {
    this.client.destroy();
  }
}

class PostgresConnection extends Connection {
  readonly begin = [plain('BEGIN ISOLATION LEVEL READ COMMITTED')];

  private broken = false;

  constructor(
    logger: Logger,
    private readonly client: PostgresClient,
    private readonly giveBack: (broken?: boolean) => void,
  ) {
    super(logger);
    client.on('error', this.onError);
  }

  release(): void {
    this.client.off('error', this.onError);
    this.giveBack(this.broken);
  }

  /** A transaction in which one has failed runs no more, and its COMMIT is a ROLLBACK. */
  protected async transmit(statements: Statement[]): Promise<QueryResult[]> {
    const results = await Promise.allSettled(statements.map(({ text, values }) => this.client.query(text, values)));
    return results.map((result) => {
      if (result.status === 'rejected') throw result.reason;
      return { rows: result.value.rows, affected: result.value.rowCount ?? 0 };
    });
  }

  protected discard(): void {
    this.broken = true;
  }

  /** Unheard, an error between two queries would end the process; the next query tells of it. */
  private readonly onError = (): void => this.discard();
}

const plain = (text: string): Statement => ({ sql: text, text, values: [] });
