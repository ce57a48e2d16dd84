import type { Logger } from 'typeorm';
import { Connection, plain } from './connection.js';
import { DEADLINES } from './deadlines.js';
import { hangUp } from './mysql2-internals.js';
import { mysqlText } from './mysql.text.js';
import type { QueryResult, Row, Statement } from './transaction.js';

type MysqlResult = Row[] | { affectedRows: number };
type TypeCast = (field: { name: string }, next: () => unknown) => unknown;
/** The parts of a mysql2 connection that we use. */
export interface MysqlClient {
  query(options: object, done: (error: Error | null, result: MysqlResult | MysqlResult[]) => void): void;
  escape(value: unknown): string;
  on(event: 'error', listener: () => void): void;
  release(): void;
  destroy(): void;
  readonly config: { typeCast?: boolean | TypeCast };
}

/** Makes our SQL mean the same in any mode of the server, and gives errors instead of truncated texts. */
export const SQL_MODE = 'STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION';

/** The session variables of our sessions, as SHOW VARIABLES prints them. */
const SESSION: Record<string, string> = {
  sql_mode: SQL_MODE,
  autocommit: 'ON',
  completion_type: 'NO_CHAIN',
  character_set_client: 'utf8mb4',
  character_set_connection: 'utf8mb4',
  character_set_results: 'utf8mb4',
  sql_safe_updates: 'OFF',
  sql_auto_is_null: 'OFF',
  sql_select_limit: '18446744073709551615',
  innodb_lock_wait_timeout: String(DEADLINES.lockWait / 1000),
  wait_timeout: String(DEADLINES.serverIdle / 1000),
};
/** MariaDB 10 and others use one name, MySQL and newer MariaDB the other. */
const ISOLATION = ['transaction_isolation', 'tx_isolation'];

const STATE = [
  'SET NAMES utf8mb4',
  'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED',
  `SET ${Object.entries(SESSION)
    .filter(([name]) => !name.startsWith('character_set'))
    .map(([name, value]) => `SESSION ${name} = ${/^\d+$/.test(value) ? value : `'${value}'`}`)
    .join(', ')}`,
].map(plain);
const ASK = plain(
  `SHOW SESSION VARIABLES WHERE Variable_name IN (${[...Object.keys(SESSION), ...ISOLATION].map((name) => `'${name}'`).join(', ')})`,
);

/**
 * A variable of the session: the table of ready rows of which a statement of ours has removed those of the tasks that start
 * now, so the trigger need not do it row by row.
 */
export const STARTS = '@softdd_starts';

export class MysqlConnection extends Connection {
  readonly begin = [plain('START TRANSACTION')];
  // Stated explicitly, so that completion_type does not matter.
  readonly commit = [plain('COMMIT AND NO CHAIN NO RELEASE')];
  protected readonly undo = ['ROLLBACK AND NO CHAIN NO RELEASE', `SET ${STARTS} = NULL`].map(plain);

  constructor(
    logger: Logger,
    readonly client: MysqlClient,
    private readonly hostColumns: ReadonlySet<string>,
  ) {
    super(logger);
  }

  async prepare(): Promise<void> {
    // Without a listener, an error between two queries would end the process. The next query reports it.
    this.client.on('error', () => undefined);
    const results = await this.send([...STATE, ASK]);
    const found = new Map(results.at(-1)!.rows.map((row) => [String(row.Variable_name), String(row.Value)]));
    const wrong = Object.entries(SESSION).filter(([name, value]) => sorted(found.get(name)) !== sorted(value));
    const isolation = ISOLATION.map((name) => found.get(name)).find((value) => value !== undefined);
    if (isolation !== 'READ-COMMITTED') wrong.push(['transaction isolation', 'READ-COMMITTED']);
    if (wrong.length === 0) return;
    this.discard();
    const [[name, value]] = wrong as [[string, string]];
    throw new Error(
      `The database session must have ${name} = ${value}, and it has ` +
        `${found.get(name) ?? isolation}; check that no proxy in between resets SET SESSION.`,
    );
  }

  release(): void {
    if (!this.isBroken) this.client.release();
  }

  protected transmit(statements: Statement[]): Promise<QueryResult[]> {
    return runMysql(this.client, statements, this.hostColumns);
  }

  protected close(): void {
    hangUp(this.client);
  }
}

const sorted = (list: string | undefined): string | undefined => list?.split(',').sort().join(',');

/** Statements in one packet. The server stops at the first that fails. More than one needs `multipleStatements`. */
export function runMysql(
  client: MysqlClient,
  statements: Statement[],
  hostColumns: ReadonlySet<string>,
): Promise<QueryResult[]> {
  const { typeCast } = client.config;
  const options = {
    sql: statements.map((statement) => mysqlText(statement, (date) => client.escape(date))).join(';\n'),
    // The text contains its values. null keeps the driver from looking for placeholders.
    values: null,
    // Independent of the host's settings for its own queries.
    rowsAsArray: false,
    nestTables: false,
    namedPlaceholders: false,
    ...(typeof typeCast === 'function'
      ? {
          typeCast: (field: { name: string }, next: () => unknown): unknown =>
            hostColumns.has(field.name) ? typeCast(field, next) : next(),
        }
      : { typeCast: true }),
  };
  return new Promise((resolve, reject) => {
    client.query(options, (error, answer) => {
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
