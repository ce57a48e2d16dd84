import type { QueryRunner } from 'typeorm';
import { schemaOf } from '../store/engine.js';
import {
  assertSideTable,
  assertTaskTable,
  dueAt,
  MADE,
  type SchemaStep,
  type SideTable,
  sideTables,
  type TaskSchema,
  type TaskSchemaOptions,
} from './schema.js';

interface Column {
  name: string;
  type: string;
  length: number | null;
  nullable: boolean;
  comment: string | null;
}

/** What an adopted table's columns become: strings that compare byte for byte, times that know their zone. */
const WIDTHS: Record<string, number> = { id: 36, user_id: 255, service: 64, group: 64 };
const TEXTS = ['input', 'args', 'temp', 'output'];
const TIMES = ['created_at', 'updated_at'];

export class PostgresTaskSchema implements TaskSchema {
  constructor(private readonly options: TaskSchemaOptions) {}

  async missing(runner: QueryRunner): Promise<SchemaStep[]> {
    const { table } = this.options;
    const path = tablePath(runner, table);
    const columns = await readColumns(runner, path);
    const steps: SchemaStep[] = [];
    // Several statements in one are one transaction: nothing of ours is left without its mark.
    if (columns.length === 0)
      steps.push({
        what: `table ${table} is missing`,
        sql: `${this.createTable(path)}; COMMENT ON TABLE ${path} IS '${MADE}'`,
      });
    else steps.push(...this.alterations(path, columns));
    steps.push(...(await indexSteps(runner, path, this.indexes())));
    for (const side of this.sideTables()) steps.push(...(await this.sideSteps(runner, side)));
    return steps;
  }

  async removal(runner: QueryRunner): Promise<SchemaStep[]> {
    const { table } = this.options;
    const path = tablePath(runner, table);
    const columns = await readColumns(runner, path);
    const sides = sideTables(table).map((name) => ({
      what: `table ${name}`,
      sql: `DROP TABLE IF EXISTS ${tablePath(runner, name)}`,
    }));
    if (columns.length === 0) return sides;
    const [row] = (await runner.query(`SELECT obj_description(to_regclass($1)) AS comment`, [path])) as {
      comment: string | null;
    }[];
    if (row?.comment === MADE) return [...sides, { what: `table ${table}`, sql: `DROP TABLE ${path}` }];
    return [
      ...sides,
      ...Object.keys(this.indexes()).map((name) => ({
        what: `index ${name}`,
        sql: `DROP INDEX IF EXISTS ${indexPath(runner, name)}`,
      })),
      ...columns
        .filter((column) => column.comment === MADE)
        .map(({ name }) => ({ what: `column ${name}`, sql: `ALTER TABLE ${path} DROP COLUMN "${name}"` })),
    ];
  }

  /** Column -> definition, in the order of a fresh table. */
  private columns(): Record<string, string> {
    return {
      id: 'varchar(36) PRIMARY KEY',
      user_id: 'varchar(255) NOT NULL',
      service: 'varchar(64) NOT NULL',
      group: 'varchar(64)',
      status: `integer NOT NULL DEFAULT ${this.options.status.INIT}`,
      progress: 'smallint NOT NULL DEFAULT 0',
      input: 'text',
      args: 'text',
      temp: 'text',
      output: 'text',
      error: 'text',
      priority: 'smallint NOT NULL DEFAULT 0',
      run_at: 'timestamptz(3)',
      attempts: 'integer NOT NULL DEFAULT 0',
      max_attempts: 'integer',
      releases: 'integer NOT NULL DEFAULT 0',
      lease_token: 'varchar(36)',
      lease_expires_at: 'timestamptz(3)',
      lease_seconds: 'integer',
      worker_id: 'varchar(64)',
      claim_key: 'varchar(64)',
      callback_url: 'text',
      created_at: 'timestamptz(3) DEFAULT clock_timestamp()',
      updated_at: 'timestamptz(3) DEFAULT clock_timestamp()',
      started_at: 'timestamptz(3)',
      finished_at: 'timestamptz(3)',
    };
  }

  private createTable(path: string): string {
    const columns = Object.entries(this.columns()).map(([name, definition]) => `"${name}" ${definition}`);
    return `CREATE TABLE ${path} (\n  ${columns.join(',\n  ')}\n)`;
  }

  /** One ALTER, so that an adopted table is copied once and is never half changed. */
  private alterations(path: string, columns: Column[]): SchemaStep[] {
    assertTaskTable(
      this.options.table,
      columns.map((column) => column.name),
    );
    const present = new Map(columns.map((column) => [column.name, column]));
    const clauses: { what: string; sql: string }[] = [];
    const marks: string[] = [];
    for (const [name, definition] of Object.entries(this.columns())) {
      const column = present.get(name);
      if (column) clauses.push(...this.alteration(column));
      else {
        clauses.push({ what: `column ${name} is missing`, sql: `ADD COLUMN "${name}" ${definition}` });
        marks.push(`; COMMENT ON COLUMN ${path}."${name}" IS '${MADE}'`);
      }
    }
    if (clauses.length === 0) return [];
    const what = clauses.map((clause) => clause.what).join('; ');
    const alter = `ALTER TABLE ${path} ${clauses.map((clause) => clause.sql).join(', ')}`;
    return [{ what, sql: alter + marks.join('') }];
  }

  private alteration({ name, type, length, nullable }: Column): { what: string; sql: string }[] {
    const alter = `ALTER COLUMN "${name}"`;
    const width = WIDTHS[name];
    // char(n) ignores trailing spaces, so it isn't byte for byte.
    const text = type === 'text' || (type === 'character varying' && (length === null || length >= (width ?? 0)));
    if (width !== undefined && !text)
      return [{ what: `column ${name} is ${type}`, sql: `${alter} TYPE varchar(${Math.max(width, length ?? 0)})` }];
    if (TEXTS.includes(name) && !nullable)
      return [{ what: `column ${name} does not take NULL`, sql: `${alter} DROP NOT NULL` }];
    if (TIMES.includes(name) && type === 'timestamp without time zone')
      return [
        {
          what: `column ${name} has no time zone`,
          sql:
            `${alter} TYPE timestamptz(3) USING "${name}" AT TIME ZONE INTERVAL '${this.options.timeZone}', ` +
            `${alter} SET DEFAULT clock_timestamp()`,
        },
      ];
    return [];
  }

  /** Index -> its columns and predicate, as PostgreSQL writes them back. */
  private indexes(): Record<string, string> {
    const { table, status } = this.options;
    const due = dueAt({ ...this.options, status: { ...status, WAITING: 0 } }).replace(
      'status = 0',
      () => `(status = ${predicate(status.WAITING)})`,
    );
    return {
      [`${table}_owner`]: '(user_id, created_at NULLS FIRST, id)',
      [`${table}_ready`]: `(service, priority, created_at NULLS FIRST, id) WHERE (status = ${predicate(status.BEGIN)})`,
      [`${table}_ready_group`]: `(service, "group", priority, created_at NULLS FIRST, id) WHERE (status = ${predicate(status.BEGIN)})`,
      [`${table}_due`]: `((${due})) WHERE (${due} IS NOT NULL)`,
    };
  }

  /** Keys of creates and claims, and callbacks. */
  private sideTables(): SideTable[] {
    const [keys, callbacks] = sideTables(this.options.table) as [string, string];
    return [
      {
        name: keys,
        holds: 'idempotency keys',
        columns: {
          id: 'char(64) PRIMARY KEY',
          fingerprint: 'char(64)',
          task_ids: 'text',
          expires_at: 'timestamptz(3) NOT NULL',
        },
        indexes: { [`${keys}_expires`]: '(expires_at)' },
      },
      {
        name: callbacks,
        holds: 'callbacks',
        columns: {
          id: 'varchar(36) PRIMARY KEY',
          task_id: 'varchar(36) NOT NULL',
          type: 'varchar(20) NOT NULL',
          url: 'text NOT NULL',
          origin: 'varchar(300) NOT NULL',
          is_own: 'smallint NOT NULL',
          state: 'varchar(10) NOT NULL',
          attempts: 'integer NOT NULL',
          due_at: 'timestamptz(3)',
          lease_token: 'varchar(36)',
          tries: 'text NOT NULL',
          created_at: 'timestamptz(3) NOT NULL',
          ended_at: 'timestamptz(3)',
          body: 'text NOT NULL',
        },
        indexes: {
          [`${callbacks}_due`]: '(due_at, origin) WHERE (due_at IS NOT NULL)',
          [`${callbacks}_task`]: '(task_id, id)',
          [`${callbacks}_list`]: '(state, id)',
          [`${callbacks}_end`]: '(ended_at) WHERE (ended_at IS NOT NULL)',
        },
      },
    ];
  }

  private async sideSteps(runner: QueryRunner, side: SideTable): Promise<SchemaStep[]> {
    const { name } = side;
    const path = tablePath(runner, name);
    const present = await readColumns(runner, path);
    const steps: SchemaStep[] = [];
    if (present.length > 0)
      assertSideTable(
        side,
        present.map((column) => column.name),
      );
    else {
      const columns = Object.entries(side.columns).map(([column, definition]) => `${column} ${definition}`);
      steps.push({
        what: `table ${name} is missing`,
        sql: `CREATE TABLE ${path} (\n  ${columns.join(',\n  ')}\n); COMMENT ON TABLE ${path} IS '${MADE}'`,
      });
    }
    return [...steps, ...(await indexSteps(runner, path, side.indexes))];
  }
}

/** PostgreSQL writes negative constants back in quotes. */
const predicate = (value: number): string => (value < 0 ? `'${value}'::integer` : String(value));

const tablePath = (runner: QueryRunner, table: string): string => {
  const schema = schemaOf(runner.connection);
  return schema ? `"${schema}"."${table}"` : `"${table}"`;
};
const indexPath = tablePath;

async function readColumns(runner: QueryRunner, path: string): Promise<Column[]> {
  const rows = (await runner.query(
    `SELECT a.attname AS name, format_type(a.atttypid, NULL) AS type,
      CASE WHEN a.atttypmod > 4 THEN a.atttypmod - 4 END AS length,
      NOT a.attnotnull AS nullable, col_description(a.attrelid, a.attnum) AS comment
    FROM pg_attribute a WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`,
    [path],
  )) as Column[];
  return rows;
}

/** Indexes that are missing, or other than they should be. */
async function indexSteps(runner: QueryRunner, path: string, wanted: Record<string, string>): Promise<SchemaStep[]> {
  const rows = (await runner.query(
    `SELECT c.relname AS name, pg_get_indexdef(i.indexrelid) AS definition
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = to_regclass($1)`,
    [path],
  )) as { name: string; definition: string }[];
  const present = new Map(rows.map((row) => [row.name, squeeze(row.definition)]));
  return Object.entries(wanted).flatMap(([name, definition]): SchemaStep[] => {
    const found = present.get(name);
    if (found?.endsWith(` USING btree ${definition}`)) return [];
    const create = { what: `index ${name} is missing`, sql: `CREATE INDEX "${name}" ON ${path} ${definition}` };
    if (found === undefined) return [create];
    const what = `index ${name} is other than the options ask for`;
    return [
      { what, sql: `DROP INDEX ${indexPath(runner, name)}` },
      { ...create, what },
    ];
  });
}

/** PostgreSQL breaks the lines of CASE as it writes it back. */
const squeeze = (text: string): string => text.replaceAll(/\s+/g, ' ').replaceAll('( ', '(').replaceAll(' )', ')');
