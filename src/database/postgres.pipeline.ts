import {
  type ClientInternals,
  type DriverConnection,
  takesQueryObjects,
  withoutSync,
  writeStatement,
} from './pg-internals.js';
import { rowMaker, type RowMaker } from './row-maker.js';
import type { QueryResult, Row, Statement } from './transaction.js';

/** The parts of a pg client that we use. */
export interface PostgresClient extends ClientInternals {
  query(text: string, values: unknown[]): Promise<{ rows: Row[]; rowCount: number | null }>;
  query(submittable: object): unknown;
  getTypeParser(type: number, format: string): (text: string) => unknown;
  on(event: 'error', listener: () => void): void;
  off(event: 'error', listener: () => void): void;
}
interface Field {
  name: string;
  dataTypeID: number;
}
type Parse = (text: string) => unknown;

/** Reads what we select ourselves, independent of the parsers that a host has given the driver. */
const text: Parse = (value) => value;
const PARSERS: Record<number, Parse> = { 16: (value) => value === 't' };
for (const number of [20, 21, 23, 26, 700, 701, 1700]) PARSERS[number] = Number;

/**
 * Several statements as one query of the extended protocol, with one Sync after the last: the server answers all in one
 * round trip, and skips the rest after an error. The driver's own pipeline mode has a Sync after each statement, so the
 * statements after a cancelled BEGIN would commit on their own.
 *
 * The client passes us what it receives, as it does to any query object of its own (pg-cursor is one).
 */
export class Pipeline {
  /** Set by the client if the host has a `query_timeout`: it ends the client's timer. */
  callback?: () => void;
  private readonly results: QueryResult[] = [];
  private rows: Row[] = [];
  private parsers: Parse[] = [];
  private make!: RowMaker;
  private failure: unknown;
  private resolve!: (results: QueryResult[]) => void;
  private reject!: (error: unknown) => void;

  constructor(
    private readonly client: PostgresClient,
    private readonly statements: Statement[],
    private readonly hostColumns: ReadonlySet<string>,
  ) {}

  /** Whether the client accepts query objects. The native client has no connection of this kind. */
  static serves(client: PostgresClient): boolean {
    return takesQueryObjects(client);
  }

  run(): Promise<QueryResult[]> {
    return new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
      this.client.query(this);
    });
  }

  submit(connection: DriverConnection): Error | null {
    const held = withoutSync(connection);
    // The value cannot be written: nothing after it is sent.
    const onError = (error: Error): unknown => (this.failure ??= error);
    connection.stream.cork?.();
    try {
      for (const statement of this.statements) {
        writeStatement(this.client, held, statement, onError);
        if (this.failure !== undefined) break;
      }
    } finally {
      connection.sync();
      connection.stream.uncork?.();
    }
    return null;
  }

  handleRowDescription({ fields }: { fields: Field[] }): void {
    this.parsers = fields.map(({ name, dataTypeID }) =>
      this.hostColumns.has(name) ? this.client.getTypeParser(dataTypeID, 'text') : (PARSERS[dataTypeID] ?? text),
    );
    this.make = rowMaker(fields.map(({ name }) => name));
  }

  /** The cells are the driver's, made for this message, so they are parsed in their places. */
  handleDataRow({ fields: cells }: { fields: unknown[] }): void {
    if (this.failure !== undefined) return;
    try {
      // An iterator takes a third longer.
      for (let place = 0; place < cells.length; place++) {
        const cell = cells[place] as string | null;
        if (cell !== null) cells[place] = this.parsers[place]!(cell);
      }
      this.rows.push(this.make(cells));
    } catch (error) {
      this.failure = error;
    }
  }

  /** `UPDATE 3`, `INSERT 0 3`, `BEGIN`. */
  handleCommandComplete({ text: tag }: { text: string }): void {
    this.results.push({ rows: this.rows, affected: Number(/\d+$/.exec(tag)?.[0] ?? 0) });
    this.rows = [];
  }

  handleEmptyQuery(): void {
    this.results.push({ rows: [], affected: 0 });
  }

  handleError(error: unknown): void {
    this.callback?.();
    this.reject(this.failure ?? error);
  }

  handleReadyForQuery(): void {
    this.callback?.();
    if (this.failure === undefined) this.resolve(this.results);
    else this.reject(this.failure);
  }
}
