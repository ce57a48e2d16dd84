import type { DataSource, QueryRunner } from 'typeorm';
import { engineOf } from './engine.js';
import type { QueryResult, Row, Statement } from './transaction.js';

type MysqlResult = Row[] | { affectedRows: number };
/** What we use of a mysql2 connection. */
interface MysqlDriver {
  query(sql: string, values: unknown[], done: (error: Error | null, result: MysqlResult | MysqlResult[]) => void): void;
  destroy(): void;
}
/** What we use of a pg client. */
interface PostgresDriver {
  query(text: string, values: unknown[]): Promise<{ rows: Row[]; rowCount: number | null }>;
}

/**
 * A connection of the pool, spoken to directly: TypeORM's query runner takes as long for a short statement as the
 * driver and the network do, and sends one at a time. TypeORM's logger hears of every statement all the same.
 */
export abstract class Connection {
  /** READ COMMITTED: under REPEATABLE READ the claims' gap locks deadlock with inserts. */
  abstract readonly begin: Statement[];
  readonly commit: Statement[] = [plain('COMMIT')];

  protected constructor(
    private readonly dataSource: DataSource,
    private readonly runner: QueryRunner,
  ) {}

  static async open(dataSource: DataSource): Promise<Connection> {
    const runner = dataSource.createQueryRunner();
    const driver: unknown = await runner.connect();
    return engineOf(dataSource) === 'postgres'
      ? new PostgresConnection(dataSource, runner, driver as PostgresDriver)
      : new MysqlConnection(dataSource, runner, driver as MysqlDriver);
  }

  /** Sends statements in one go, and answers what each of them gave; none runs after one that failed. */
  async send(statements: Statement[]): Promise<QueryResult[]> {
    const { logger } = this.dataSource;
    for (const { sql, values } of statements) logger.logQuery(sql, values, this.runner);
    try {
      return await this.transmit(statements);
    } catch (error) {
      const { sql, values } = statements.at(-1)!;
      logger.logQueryError(error as Error, sql, values, this.runner);
      throw error;
    }
  }

  /** Where this fails the connection is gone, and the transaction with it. */
  async rollback(): Promise<void> {
    await this.transmit([plain('ROLLBACK')]).catch(() => this.discard());
  }

  async release(): Promise<void> {
    await this.runner.release();
  }

  protected abstract transmit(statements: Statement[]): Promise<QueryResult[]>;
  /** The connection is of no more use. */
  protected abstract discard(): void;
}

class MysqlConnection extends Connection {
  readonly begin = [plain('SET TRANSACTION ISOLATION LEVEL READ COMMITTED'), plain('START TRANSACTION')];

  constructor(
    dataSource: DataSource,
    runner: QueryRunner,
    private readonly driver: MysqlDriver,
  ) {
    super(dataSource, runner);
  }

  protected transmit(statements: Statement[]): Promise<QueryResult[]> {
    const text = statements.map(({ sql }) => sql).join(';\n');
    const values = statements.flatMap((statement) => statement.values);
    return new Promise((resolve, reject) => {
      this.driver.query(text, values, (error, answer) => {
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
    this.driver.destroy();
  }
}

class PostgresConnection extends Connection {
  readonly begin = [plain('BEGIN ISOLATION LEVEL READ COMMITTED')];

  constructor(
    dataSource: DataSource,
    runner: QueryRunner,
    private readonly driver: PostgresDriver,
  ) {
    super(dataSource, runner);
  }

  /** A transaction in which one has failed runs no more, and its COMMIT is a ROLLBACK. */
  protected async transmit(statements: Statement[]): Promise<QueryResult[]> {
    const results = await Promise.allSettled(statements.map(({ text, values }) => this.driver.query(text, values)));
    return results.map((result) => {
      if (result.status === 'rejected') throw result.reason;
      return { rows: result.value.rows, affected: result.value.rowCount ?? 0 };
    });
  }

  /** The pool drops a client that has lost its server. */
  protected discard(): void {}
}

const plain = (text: string): Statement => ({ sql: text, text, values: [] });
