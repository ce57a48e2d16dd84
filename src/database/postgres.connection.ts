import type { Logger } from 'typeorm';
import { Connection, plain } from './connection.js';
import { DEADLINES } from './deadlines.js';
import { hangUp } from './pg-internals.js';
import { Pipeline, type PostgresClient } from './postgres.pipeline.js';
import type { QueryResult, Statement } from './transaction.js';

/**
 * Set in the transaction, not in the session: a pooler in transaction mode shares sessions, and accepts no other
 * settings at the start. Our statements depend on no other session setting: values are bound, and times are sent and
 * read as numbers or as ISO 8601 with a zone.
 */
const SETTINGS = plain(
  `SELECT set_config('lock_timeout', '${DEADLINES.lockWait}ms', true), ` +
    `set_config('idle_in_transaction_session_timeout', '${DEADLINES.serverIdleInTransaction}ms', true)`,
);

export class PostgresConnection extends Connection {
  readonly begin = [plain('BEGIN ISOLATION LEVEL READ COMMITTED'), SETTINGS];
  readonly commit = [plain('COMMIT')];
  protected readonly undo = [plain('ROLLBACK')];

  constructor(
    logger: Logger,
    readonly client: PostgresClient,
    private readonly giveBack: (broken?: boolean) => void,
    private readonly hostColumns: ReadonlySet<string>,
  ) {
    super(logger);
    client.on('error', this.onError);
  }

  /** The driver sets the encoding when it connects. The pipeline carries the rest. */
  async prepare(): Promise<void> {
    const [result] = await this.send([plain('SHOW client_encoding')]);
    const encoding = result!.rows[0]?.client_encoding;
    if (encoding === 'UTF8') return;
    this.discard();
    throw new Error(`The database session has client_encoding ${String(encoding)}, and the queue needs UTF8.`);
  }

  release(): void {
    this.client.off('error', this.onError);
    this.giveBack(this.isBroken);
  }

  protected transmit(statements: Statement[]): Promise<QueryResult[]> {
    return runPostgres(this.client, statements, this.hostColumns);
  }

  protected close(): void {
    hangUp(this.client);
  }

  /** Without a listener, an error between two queries would end the process. The next query reports it. */
  private readonly onError = (): void => this.discard();
}

/** Sends statements together. The server runs none after one that failed. */
export async function runPostgres(
  client: PostgresClient,
  statements: Statement[],
  hostColumns: ReadonlySet<string>,
): Promise<QueryResult[]> {
  if (Pipeline.serves(client)) return new Pipeline(client, statements, hostColumns).run();
  // A native client, or a host's client in the driver's pipeline mode: one statement at a time.
  const results: QueryResult[] = [];
  for (const { text, values } of statements) {
    const { rows, rowCount } = await client.query(text, values);
    results.push({ rows, affected: rowCount ?? 0 });
  }
  return results;
}
