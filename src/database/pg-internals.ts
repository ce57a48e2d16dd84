/**
 * All private parts of pg that the queue uses, in one file: how a client's own Query writes a statement to the wire, and
 * the connection below the client. No other file of src/ uses one, and a test names the part that a release of pg moves.
 */

/** pg's class of queries. It writes a statement and its values as messages of the extended protocol. */
interface DriverQuery {
  prepare(connection: object): void;
  handleError(error: Error): void;
}
type QueryClass = new (config: { text: string; values: unknown[] }) => DriverQuery;

/** The connection below a client. */
export interface DriverConnection {
  parse(query: object): void;
  bind(config: object): void;
  describe(message: object): void;
  execute(config: object): void;
  close(message: object): void;
  sync(): void;
  readonly stream: { cork?(): void; uncork?(): void; destroy(): void };
}

/** The private parts of a client. A native client has no such connection. */
export interface ClientInternals {
  readonly pipeline?: boolean;
  readonly connection?: DriverConnection;
}

/** Whether the client takes query objects that write several statements. */
export function takesQueryObjects(client: ClientInternals): boolean {
  return typeof client.connection?.parse === 'function' && !client.pipeline && queryClass(client) !== undefined;
}

/** Writes one statement without its Sync. A value that can't be written goes to `onError`, and nothing is sent. */
export function writeStatement(
  client: ClientInternals,
  connection: object,
  statement: { text: string; values: unknown[] },
  onError: (error: Error) => void,
): void {
  const { text, values } = statement;
  const query = new (queryClass(client)!)({ text, values });
  query.handleError = onError;
  query.prepare(connection);
}

/** The connection as one statement may use it: it sends no Sync, and it knows no prepared statements. */
export const withoutSync = (connection: DriverConnection): object => ({
  parsedStatements: {},
  submittedNamedStatements: {},
  parse: (query: object) => connection.parse(query),
  bind: (config: object) => connection.bind(config),
  describe: (message: object) => connection.describe(message),
  execute: (config: object) => connection.execute(config),
  close: (message: object) => connection.close(message),
  sync: () => undefined,
  flush: () => undefined,
});

/** Closes the connection at once, also during a statement. */
export function hangUp(client: ClientInternals): void {
  client.connection?.stream.destroy();
}

const queryClass = (client: ClientInternals): QueryClass | undefined =>
  (client.constructor as { Query?: QueryClass }).Query;
