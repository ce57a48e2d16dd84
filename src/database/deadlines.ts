/**
 * How long the queue waits for its database, in milliseconds. The values depend on each other: a lock must be told from
 * a dead connection, and work must resume within 10 s after the network does. A test compares them with
 * docs/operations.md.
 */
export const DEADLINES = {
  /**
   * One round trip. A server that is silent for longer counts as dead: a proxy may drop a connection without notice.
   */
  roundTrip: 8000,
  /** A connection from the pool, new or used. */
  acquire: 8000,
  /** A new connection. The host may set less. */
  connect: 5000,
  /** After this time without an answer, a connection is probed before it is used. */
  quiet: 1000,
  /** The time that a probed connection has to answer. */
  probe: 2000,
  /** After this time without use a connection is replaced: firewalls drop it, and the server ends it (`serverIdle`). */
  stale: 50_000,
  /** After this time without traffic the operating system checks whether the other side is alive. */
  keepAlive: 10_000,
  /** The server ends our silent sessions after this time, and releases their locks. MySQL and MariaDB. */
  serverIdle: 60_000,
  /** The same inside a transaction. PostgreSQL. */
  serverIdleInTransaction: 15_000,
  /** How long a statement waits for a lock. Then its transaction is tried again. */
  lockWait: 4000,
  /** A transaction that keeps losing to others is given up after this time. */
  retries: 10_000,
  /** If a transaction fails because the database is away, entries of its kind that have waited longer fail with it. */
  queued: 5000,
} as const;
