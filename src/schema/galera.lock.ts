import { randomUUID } from 'node:crypto';
import type { QueryRunner } from 'typeorm';
import { isConflict } from '../database/failure-classes.js';

/** Seconds without a renewal after which anybody may take the lock, by the database's clock. DDL delays renewals. */
const LEASE_SECONDS = 120;
const RENEW_SECONDS = 10;

/**
 * A lock for a whole Galera cluster: a row in a table that all nodes share, because GET_LOCK only works within one
 * node. The owner also holds GET_LOCK on its node, so a row of the same node is left over from a process that has
 * ended.
 */
export class GaleraLock {
  private readonly holder = randomUUID();
  private timer: NodeJS.Timeout | undefined;

  private constructor(
    private readonly runner: QueryRunner,
    private readonly table: string,
    private readonly node: string,
  ) {}

  /** undefined if the server is not a node of a cluster. */
  static async create(runner: QueryRunner, ledger: string): Promise<GaleraLock | undefined> {
    const of = async (sql: string): Promise<string> =>
      ((await runner.query(sql)) as { Value: string }[])[0]?.Value ?? '';
    if ((await of("SHOW VARIABLES LIKE 'wsrep_on'")) !== 'ON') return undefined;
    return new GaleraLock(runner, `\`${ledger}_lock\``, await of("SHOW STATUS LIKE 'wsrep_gcomm_uuid'"));
  }

  /** Tries once. A deadlock means that another node wrote the row first. */
  async take(): Promise<boolean> {
    try {
      if (!(await this.insert()) && !(await this.takeOver())) return false;
    } catch (error) {
      if (isConflict(error)) return false;
      throw error;
    }
    this.timer = setInterval(() => void this.renew(), RENEW_SECONDS * 1000).unref();
    return true;
  }

  async giveBack(): Promise<void> {
    clearInterval(this.timer);
    await this.runner.query(`DELETE FROM ${this.table} WHERE holder = ?`, [this.holder]);
  }

  private async insert(): Promise<boolean> {
    try {
      await this.runner.query(
        `INSERT INTO ${this.table} (id, node, holder, expires_at)
        VALUES (1, ?, ?, UTC_TIMESTAMP(3) + INTERVAL ${LEASE_SECONDS} SECOND)`,
        [this.node, this.holder],
      );
      return true;
    } catch (error) {
      const { errno } = (error as { driverError: { errno?: number } }).driverError;
      if (errno === 1146)
        await this.runner.query(
          `CREATE TABLE IF NOT EXISTS ${this.table} (id TINYINT PRIMARY KEY, node VARCHAR(64) NOT NULL,
          holder CHAR(36) NOT NULL, expires_at DATETIME(3) NOT NULL) ENGINE = InnoDB`,
        );
      // Another process has the row.
      else if (errno !== 1062) throw error;
      return false;
    }
  }

  private async takeOver(): Promise<boolean> {
    const { affected } = (await this.runner.query(
      `UPDATE ${this.table} SET node = ?, holder = ?, expires_at = UTC_TIMESTAMP(3) + INTERVAL ${LEASE_SECONDS} SECOND
      WHERE node = ? OR expires_at < UTC_TIMESTAMP(3)`,
      [this.node, this.holder, this.node],
      true,
    )) as { affected?: number };
    return affected === 1;
  }

  /** Over another connection, because this one runs the migration. */
  private async renew(): Promise<void> {
    await this.runner.connection
      .query(
        `UPDATE ${this.table} SET expires_at = UTC_TIMESTAMP(3) + INTERVAL ${LEASE_SECONDS} SECOND WHERE holder = ?`,
        [this.holder],
      )
      .catch(() => undefined);
  }
}
