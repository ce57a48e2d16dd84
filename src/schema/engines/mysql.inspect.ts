import type { QueryRunner } from 'typeorm';
import { MADE } from '../schema.js';
import { type Change, type Found } from './engine.schema.js';
import { foreignKeyError } from './foreign-key.js';

/** A column as information_schema shows it. */
export interface MysqlColumn extends Found {
  type: string;
  length: number | null;
  collation: string | null;
  nullable: boolean;
  hasDefault: boolean;
  comment: string;
}

/** The collation that compares bytes and does not pad: `alice` and `alice ` are different. */
export async function binaryCollation(runner: QueryRunner): Promise<string> {
  const [row] = (await runner.query('SELECT VERSION() AS version')) as { version: string }[];
  return /mariadb/i.test(row!.version) ? 'utf8mb4_nopad_bin' : 'utf8mb4_0900_bin';
}

export async function readColumns(runner: QueryRunner, table: string): Promise<MysqlColumn[]> {
  const rows = (await runner.query(
    `SELECT COLUMN_NAME AS name, COLUMN_TYPE AS type, CHARACTER_MAXIMUM_LENGTH AS length,
      DATETIME_PRECISION AS digits, COLLATION_NAME AS collation, IS_NULLABLE = 'YES' AS nullable,
      COLUMN_DEFAULT IS NOT NULL AND COLUMN_DEFAULT <> 'NULL' AS hasDefault, COLUMN_COMMENT AS comment
    FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION`,
    [table],
  )) as (Pick<MysqlColumn, 'name' | 'type' | 'collation' | 'comment'> & Record<string, unknown>)[];
  return rows.map(({ name, type, collation, comment, length, digits, nullable, hasDefault }) => ({
    name,
    type,
    collation,
    comment,
    length: length === null ? null : Number(length),
    digits: Number(digits),
    nullable: Number(nullable) === 1,
    hasDefault: Number(hasDefault) === 1,
    isOurs: comment === MADE,
    // Every session sees a `timestamp` in its own zone.
    zoned: type.startsWith('timestamp'),
  }));
}

/** Rows need InnoDB's locks, and our indexes need longer keys than old row formats allow. */
export async function storage(runner: QueryRunner, table: string): Promise<Change[]> {
  const [row] = (await runner.query(
    `SELECT ENGINE AS engine, ROW_FORMAT AS format FROM information_schema.TABLES
    WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ?`,
    [table],
  )) as { engine: string; format: string }[];
  const clauses: Change[] = [];
  if (row!.engine !== 'InnoDB') clauses.push({ what: `engine is ${row!.engine}`, sql: 'ENGINE = InnoDB' });
  if (row!.engine !== 'InnoDB' || /^(compact|redundant)$/i.test(row!.format))
    clauses.push({ what: `row format is ${row!.format}`, sql: 'ROW_FORMAT = DYNAMIC' });
  return clauses;
}

export async function tableComment(runner: QueryRunner, table: string): Promise<string | undefined> {
  const [row] = (await runner.query(
    `SELECT TABLE_COMMENT AS comment FROM information_schema.TABLES
    WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ?`,
    [table],
  )) as { comment: string }[];
  return row?.comment;
}

/**
 * Neither server can change the type or the collation of a column with a foreign key, on either side. Reports this
 * before anything is changed.
 */
export async function assertNoForeignKeys(runner: QueryRunner, table: string, columns: string[]): Promise<void> {
  if (columns.length === 0) return;
  const names = columns.map(quoteText).join(', ');
  const [key] = (await runner.query(
    `SELECT CONSTRAINT_NAME AS name, TABLE_NAME AS owner, COLUMN_NAME AS \`column\`,
      REFERENCED_TABLE_NAME AS target, REFERENCED_COLUMN_NAME AS targetColumn
    FROM information_schema.KEY_COLUMN_USAGE
    WHERE TABLE_SCHEMA = DATABASE() AND REFERENCED_TABLE_NAME IS NOT NULL
      AND (TABLE_NAME = ? AND COLUMN_NAME IN (${names}) OR REFERENCED_TABLE_NAME = ? AND REFERENCED_COLUMN_NAME IN (${names}))
    ORDER BY CONSTRAINT_NAME LIMIT 1`,
    [table, table],
  )) as { name: string; owner: string; column: string; target: string; targetColumn: string }[];
  if (key) throw foreignKeyError(key, '`');
}

export async function hasIndex(runner: QueryRunner, table: string, index: string): Promise<boolean> {
  const rows = (await runner.query(
    `SELECT 1 FROM information_schema.STATISTICS
    WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? AND INDEX_NAME = ? LIMIT 1`,
    [table, index],
  )) as unknown[];
  return rows.length > 0;
}

/** Trigger -> body. null if this account may not see the body: MariaDB shows the names to everybody. */
export async function readTriggers(runner: QueryRunner, table: string): Promise<Map<string, string | null>> {
  const rows = (await runner.query(
    `SELECT TRIGGER_NAME AS name, ACTION_STATEMENT AS body FROM information_schema.TRIGGERS
    WHERE TRIGGER_SCHEMA = DATABASE() AND EVENT_OBJECT_TABLE = ?`,
    [table],
  )) as { name: string; body: string | null }[];
  return new Map(rows.map(({ name, body }) => [name, body === null ? null : squeeze(body)]));
}

/**
 * The account as which triggers run, in the form of CREATE. On MariaDB a trigger gets none of the roles of its definer:
 * if TRIGGER came through a role, the writes of every other account would fail (error 1142), so the role is the
 * definer.
 */
export async function triggerDefiner(runner: QueryRunner, table: string): Promise<string> {
  const [row] = (await runner.query('SELECT VERSION() AS version, CURRENT_USER() AS account')) as {
    version: string;
    account: string;
  }[];
  if (!/mariadb/i.test(row!.version)) return '';
  const [active] = (await runner.query('SELECT CURRENT_ROLE() AS role')) as { role: string | null }[];
  if (active!.role === null) return '';
  const at = row!.account.lastIndexOf('@');
  const grantee = `'${row!.account.slice(0, at)}'@'${row!.account.slice(at + 1)}'`;
  const own = (await runner.query(`SELECT 1 FROM (${TRIGGER_GRANTS}) g WHERE g.grantee = ?`, [
    table,
    grantee,
  ])) as unknown[];
  return own.length > 0 ? '' : 'DEFINER = CURRENT_ROLE ';
}

const TRIGGER_GRANTS = `SELECT GRANTEE AS grantee FROM information_schema.USER_PRIVILEGES WHERE PRIVILEGE_TYPE = 'TRIGGER'
    UNION ALL SELECT GRANTEE FROM information_schema.SCHEMA_PRIVILEGES
    WHERE PRIVILEGE_TYPE = 'TRIGGER' AND DATABASE() LIKE TABLE_SCHEMA
    UNION ALL SELECT GRANTEE FROM information_schema.TABLE_PRIVILEGES
    WHERE PRIVILEGE_TYPE = 'TRIGGER' AND TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ?`;

/**
 * Whether this account sees the triggers of a table: MySQL and MariaDB require the TRIGGER privilege. An account that
 * may not see the privileges of others is shown only its own.
 */
export async function seesTriggers(
  runner: QueryRunner,
  table: string,
  present: Map<string, string | null>,
): Promise<boolean> {
  if (present.size > 0) return [...present.values()].some((body) => body !== null);
  const rows = (await runner.query(TRIGGER_GRANTS, [table])) as unknown[];
  return rows.length > 0;
}

/** SQL text without line breaks and indents. Bodies are compared in this form. */
export const squeeze = (text: string): string => text.replaceAll(/\s+/g, ' ').trim();

export const quoteText = (text: string): string => `'${text.replaceAll("'", "''")}'`;
