import { Logger } from '@nestjs/common';
import type { QueryRunner } from 'typeorm';
import { IN_PIECE, type SchemaStep } from './schema.js';

/** Rows that one statement of a step in pieces reads, and may lock. */
const PIECE = 5000;

/**
 * Runs a step. A step that affects a table in use is logged before and after: it may take long, and others may wait for
 * it.
 */
export async function runStep(runner: QueryRunner, step: SchemaStep, table: string): Promise<void> {
  const logger = new Logger('TaskModule');
  const began = performance.now();
  if (step.effect !== undefined) logger.log(`${table}: ${step.what} (${step.effect})`);
  try {
    const rows = step.piecesOf === undefined ? await run(runner, step.sql) : await runInPieces(runner, step);
    if (step.effect === undefined) return;
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    logger.log(`${table}: done in ${seconds} s${rows > 0 ? `, ${rows} rows` : ''}`);
  } catch (cause) {
    throw new Error(`${step.what}: ${(cause as Error).message}.${await remedy(runner, cause)}`, { cause });
  }
}

/** Returns how many rows it changed. */
async function run(runner: QueryRunner, sql: string): Promise<number> {
  const result = (await runner.query(sql, [], true)) as { affected?: number | null };
  return result.affected ?? 0;
}

async function runInPieces(runner: QueryRunner, { sql, piecesOf }: SchemaStep): Promise<number> {
  const next = `SELECT id FROM \`${piecesOf}\` WHERE id > ? ORDER BY id LIMIT 1 OFFSET ${PIECE - 1}`;
  const text = (id: string): string => `_utf8mb4 X'${Buffer.from(id).toString('hex')}'`;
  let rows = 0;
  for (let from = ''; ;) {
    const [row] = (await runner.query(next, [from])) as { id: string }[];
    const to = row && ` AND id <= ${text(row.id)}`;
    rows += await run(
      runner,
      sql.replace(IN_PIECE, () => `AND id > ${text(from)}${to ?? ''}`),
    );
    if (!row) return rows;
    from = row.id;
  }
}

/** What to grant or set if the database refuses. */
async function remedy(runner: QueryRunner, cause: unknown): Promise<string> {
  const { errno } = (cause as { driverError?: { errno?: number } }).driverError ?? {};
  if (errno === 1419)
    return (
      ' Binary logging is on, and this user may not create triggers under it. As an administrator run' +
      ' SET GLOBAL log_bin_trust_function_creators = 1 (keep it in the server configuration),' +
      ' or GRANT SUPER ON *.* TO this user for the time of the migration; then migrate again.'
    );
  if (errno === 1142 || errno === 1044 || errno === 1227)
    return ` As an administrator run GRANT CREATE, ALTER, DROP, INDEX, TRIGGER ON ${await grantee(runner)}; then migrate again.`;
  if (errno === 1832 || errno === 1833 || errno === 3780)
    return ' A foreign key refers to the column. Drop it, migrate, and create it again with the new collation.';
  return '';
}

/** The database and the account in the form that GRANT uses. */
async function grantee(runner: QueryRunner): Promise<string> {
  const [row] = (await runner.query('SELECT DATABASE() AS name, CURRENT_USER() AS account')) as {
    name: string;
    account: string;
  }[];
  const at = row!.account.lastIndexOf('@');
  return `\`${row!.name}\`.* TO '${row!.account.slice(0, at)}'@'${row!.account.slice(at + 1)}'`;
}
