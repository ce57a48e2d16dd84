import type { QueryRunner } from 'typeorm';
import type { SchemaStep } from './schema.js';

/** A column as information_schema shows it. */
export interface Column {
  name: string;
  type: string;
  length: number | null;
  precision: number | null;
  collation: string | null;
  nullable: boolean;
  comment: string;
}

/** The collation that compares bytes and pads nothing: `alice` and `alice ` are two. */
export async function binaryCollation(runner: QueryRunner): Promise<string> {
  const [row] = (await runner.query('SELECT VERSION() AS version')) as { version: string }[];
  return /mariadb/i.test(row!.version) ? 'utf8mb4_nopad_bin' : 'utf8mb4_0900_bin';
}

export async function readColumns(runner: QueryRunner, table: string): Promise<Column[]> {
  const rows = (await runner.query(
    `SELECT COLUMN_NAME AS name, COLUMN_TYPE AS type, CHARACTER_MAXIMUM_LENGTH AS length,
      DATETIME_PRECISION AS \`precision\`, COLLATION_NAME AS collation, IS_NULLABLE = 'YES' AS nullable,
      COLUMN_COMMENT AS comment
    FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION`,
    [table],
  )) as (Omit<Column, 'nullable' | 'length' | 'precision'> & Record<'nullable' | 'length' | 'precision', unknown>)[];
  return rows.map((row) => ({
    ...row,
    length: row.length === null ? null : Number(row.length),
    precision: row.precision === null ? null : Number(row.precision),
    nullable: Number(row.nullable) === 1,
  }));
}

/** Rows need InnoDB's locks, and our indexes longer keys than old row formats take. */
export async function storage(runner: QueryRunner, table: string): Promise<{ what: string; sql: string }[]> {
  const [row] = (await runner.query(
    `SELECT ENGINE AS engine, ROW_FORMAT AS format FROM information_schema.TABLES
    WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ?`,
    [table],
  )) as { engine: string; format: string }[];
  const clauses: { what: string; sql: string }[] = [];
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

export async function hasIndex(runner: QueryRunner, table: string, index: string): Promise<boolean> {
  const rows = (await runner.query(
    `SELECT 1 FROM information_schema.STATISTICS
    WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? AND INDEX_NAME = ? LIMIT 1`,
    [table, index],
  )) as unknown[];
  return rows.length > 0;
}

export async function readTriggers(runner: QueryRunner, table: string): Promise<Map<string, string>> {
  const rows = (await runner.query(
    `SELECT TRIGGER_NAME AS name, ACTION_STATEMENT AS body FROM information_schema.TRIGGERS
    WHERE TRIGGER_SCHEMA = DATABASE() AND EVENT_OBJECT_TABLE = ?`,
    [table],
  )) as { name: string; body: string }[];
  return new Map(rows.map((row) => [row.name, squeeze(row.body)]));
}

/** SQL text without its line breaks and indents: bodies are compared by it. */
export const squeeze = (text: string): string => text.replaceAll(/\s+/g, ' ').trim();

export const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`;

export const drop = (kind: 'TABLE' | 'TRIGGER', name: string): SchemaStep => ({
  what: `${kind.toLowerCase()} ${name}`,
  sql: `DROP ${kind} IF EXISTS \`${name}\``,
});
