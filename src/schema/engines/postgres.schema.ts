import { schemaOf } from '../../database/engine.js';
import { MADE, type SchemaStep } from '../schema.js';
import { type Column, isExact, type Table } from '../tables/table.js';
import type { Alteration, Change, Found } from './engine.schema.js';
import { foreignKeyError } from './foreign-key.js';
import { PartialIndexSchema, plain } from './partial-index.schema.js';

interface PostgresColumn extends Found {
  type: string;
  length: number | null;
  nullable: boolean;
  hasDefault: boolean;
}

export class PostgresTaskSchema extends PartialIndexSchema<PostgresColumn> {
  protected readonly engine = 'postgres';

  /** Several statements in one string are one transaction: nothing of ours stays without its mark. */
  protected createTable(table: Table): string {
    const path = this.path(table.name);
    return `CREATE TABLE ${path} (\n  ${this.lines(table).join(',\n  ')}\n); COMMENT ON TABLE ${path} IS '${MADE}'`;
  }

  protected async columnsOf(table: string): Promise<PostgresColumn[]> {
    // A time whose type names no precision has six digits.
    return (await this.runner.query(
      `SELECT a.attname AS name, format_type(a.atttypid, NULL) AS type,
        CASE WHEN a.atttypmod > 4 THEN a.atttypmod - 4 END AS length,
        CASE WHEN a.atttypmod >= 0 THEN a.atttypmod ELSE 6 END AS digits,
        a.atttypid = 'timestamptz'::regtype AS zoned, NOT a.attnotnull AS nullable, a.atthasdef AS "hasDefault",
        col_description(a.attrelid, a.attnum) IS NOT DISTINCT FROM $2 AS "isOurs"
      FROM pg_attribute a WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`,
      [this.path(table), MADE],
    )) as PostgresColumn[];
  }

  protected async isMade(table: string): Promise<boolean> {
    const [row] = (await this.runner.query('SELECT obj_description(to_regclass($1)) AS comment', [
      this.path(table),
    ])) as { comment: string | null }[];
    return row?.comment === MADE;
  }

  protected async indexesOf(table: string): Promise<Map<string, string>> {
    const rows = (await this.runner.query(
      `SELECT c.relname AS name, pg_get_indexdef(i.indexrelid) AS definition
      FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = to_regclass($1)`,
      [this.path(table)],
    )) as { name: string; definition: string }[];
    return new Map(rows.map(({ name, definition }) => [name, plain(definition.split(' USING btree ')[1] ?? '')]));
  }

  protected addition(name: string, column: Column): string {
    return `ADD COLUMN "${name}" ${this.definition(column)}`;
  }

  protected override change(
    { name, type, length, nullable, hasDefault }: PostgresColumn,
    column: Column,
  ): Change | undefined {
    const alter = `ALTER COLUMN "${name}"`;
    if (isExact(column)) {
      // char(n) ignores trailing spaces, so it does not compare byte for byte.
      if (type === 'text' || (type === 'character varying' && (length ?? Infinity) >= column.length)) return undefined;
      return { what: `is ${type}`, sql: `${alter} TYPE varchar(${Math.max(column.length, length ?? 0)})` };
    }
    if (column.kind === 'text' && !nullable) return { what: 'does not accept NULL', sql: `${alter} DROP NOT NULL` };
    // The type stays, because a Laravel application may still read the column.
    if (column.kind === 'local time' && !hasDefault) {
      const zone = type === 'timestamp without time zone' ? ` AT TIME ZONE INTERVAL '${this.options.timeZone}'` : '';
      const now = `date_trunc('second', clock_timestamp())`;
      return { what: 'has no default', sql: `${alter} SET DEFAULT (${now}${zone})` };
    }
    return undefined;
  }

  /** One ALTER, so that an adopted table is copied once and is never half changed. */
  protected async adoption(alterations: Alteration[], found: PostgresColumn[]): Promise<SchemaStep[]> {
    await this.assertNoForeignKeys(found);
    if (alterations.length === 0) return [];
    const path = this.path(this.tasks.name);
    const marks = alterations
      .filter(({ isNew }) => isNew)
      .map(({ name }) => `; COMMENT ON COLUMN ${path}."${name}" IS '${MADE}'`);
    return [
      {
        what: alterations.map(({ what }) => what).join('; '),
        sql: `ALTER TABLE ${path} ${alterations.map(({ sql }) => sql).join(', ')}${marks.join('')}`,
        effect: 'rewrites the table where a type changes; reads and writes wait until the migration has ended',
      },
    ];
  }

  /** A uuid or a number becomes text: the column of a foreign key on it would have to change, too. */
  private async assertNoForeignKeys(found: PostgresColumn[]): Promise<void> {
    const { name: table, columns } = this.tasks;
    const changed = found.filter(
      ({ name, type }) => columns[name]?.original && isExact(columns[name]) && !/^(text|character)/.test(type),
    );
    if (changed.length === 0) return;
    const [key] = (await this.runner.query(
      `SELECT c.conname AS name, c.conrelid::regclass::text AS owner, a.attname AS column,
        c.confrelid::regclass::text AS target, b.attname AS "targetColumn"
      FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
        JOIN pg_attribute b ON b.attrelid = c.confrelid AND b.attnum = c.confkey[1]
      WHERE c.contype = 'f' AND (c.conrelid = to_regclass($1) AND a.attname = ANY ($2)
        OR c.confrelid = to_regclass($1) AND b.attname = ANY ($2)) ORDER BY 1 LIMIT 1`,
      [this.path(table), changed.map(({ name }) => name)],
    )) as Parameters<typeof foreignKeyError>[0][];
    if (key) throw foreignKeyError(key, '"');
  }

  protected now(): string {
    return 'clock_timestamp()';
  }

  protected override path(name: string): string {
    const schema = schemaOf(this.runner.connection);
    return schema ? `"${schema}"."${name}"` : `"${name}"`;
  }

  protected override part(term: string, { kind, derived }: Column, byBytes: boolean): string {
    if (derived) return `(${term})`;
    if (byBytes) return `${term} COLLATE "C"`;
    // The other engines sort NULLs first by default.
    return kind === 'local time' ? `${term} NULLS FIRST` : term;
  }

  protected override predicate(condition: string): string {
    return `(${condition})`;
  }

  /** PostgreSQL prints negative constants in quotes. */
  protected override literal(value: number): string {
    return value < 0 ? `'${value}'::integer` : String(value);
  }
}
