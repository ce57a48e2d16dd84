import type { QueryRunner } from 'typeorm';
import { offsetMinutes } from '../store/offset.js';
import {
  assertKeysTable,
  assertTaskTable,
  dueAt,
  MADE,
  type SchemaStep,
  type TaskSchema,
  type TaskSchemaOptions,
} from './schema.js';

/** Strings compare byte for byte by themselves, and widths are not enforced: adoption only adds. */
export class SqliteTaskSchema implements TaskSchema {
  constructor(private readonly options: TaskSchemaOptions) {}

  async missing(runner: QueryRunner): Promise<SchemaStep[]> {
    const { table } = this.options;
    const columns = await readColumns(runner, table);
    const steps: SchemaStep[] = [];
    if (columns.length === 0) steps.push({ what: `table ${table} is missing`, sql: this.createTable() });
    else {
      assertTaskTable(table, columns);
      for (const [name, definition] of Object.entries(this.columns()))
        if (!columns.includes(name))
          steps.push({
            what: `column ${name} is missing`,
            // SQLite adds no column whose default is computed; the module writes both times itself.
            sql: `ALTER TABLE "${table}" ADD COLUMN "${name}" ${definition.replace(/ DEFAULT \(.*/, '')} /* ${MADE} */`,
          });
    }
    return [...steps, ...(await indexSteps(runner, table, this.indexes())), ...(await this.keysSteps(runner))];
  }

  async removal(runner: QueryRunner): Promise<SchemaStep[]> {
    const { table } = this.options;
    const text = (await readDefinitions(runner, 'name', table)).get(table);
    const keys = { what: `table ${table}_keys`, sql: `DROP TABLE IF EXISTS "${table}_keys"` };
    if (text === undefined) return [keys];
    if (text.startsWith(this.createTable().slice(0, this.createTable().indexOf('*/'))))
      return [keys, { what: `table ${table}`, sql: `DROP TABLE "${table}"` }];
    const added = [...text.matchAll(/"(\w+)"[^,"]*\/\* made by @softdd\/task \*\//g)].map((match) => match[1]!);
    return [
      keys,
      ...Object.keys(this.indexes()).map((name) => ({ what: `index ${name}`, sql: `DROP INDEX IF EXISTS "${name}"` })),
      ...added.map((name) => ({ what: `column ${name}`, sql: `ALTER TABLE "${table}" DROP COLUMN "${name}"` })),
    ];
  }

  /** Column -> definition, in the order of a fresh table. */
  private columns(): Record<string, string> {
    const offset = offsetMinutes(this.options.timeZone);
    const now = `(strftime('%Y-%m-%d %H:%M:%f', 'now'${offset === 0 ? '' : `, '${offset} minutes'`}))`;
    return {
      id: 'varchar(36) NOT NULL PRIMARY KEY',
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
      run_at: 'datetime',
      attempts: 'integer NOT NULL DEFAULT 0',
      max_attempts: 'integer',
      releases: 'integer NOT NULL DEFAULT 0',
      lease_token: 'varchar(36)',
      lease_expires_at: 'datetime',
      lease_seconds: 'integer',
      worker_id: 'varchar(64)',
      claim_key: 'varchar(64)',
      created_at: `datetime DEFAULT ${now}`,
      updated_at: `datetime DEFAULT ${now}`,
      started_at: 'datetime',
      finished_at: 'datetime',
    };
  }

  private createTable(): string {
    const columns = Object.entries(this.columns()).map(([name, definition]) => `"${name}" ${definition}`);
    return `CREATE TABLE "${this.options.table}" ( /* ${MADE} */\n  ${columns.join(',\n  ')}\n)`;
  }

  private indexes(): Record<string, string> {
    const { table, status } = this.options;
    const create = (name: string, rest: string) => `CREATE INDEX "${name}" ON "${table}" ${rest}`;
    const ready = `WHERE status = ${status.BEGIN}`;
    const due = dueAt(this.options);
    return {
      [`${table}_due`]: create(`${table}_due`, `(${due}) WHERE ${due} IS NOT NULL`),
      [`${table}_owner`]: create(`${table}_owner`, '(user_id, created_at, id)'),
      [`${table}_ready`]: create(`${table}_ready`, `(service, priority, created_at, id) ${ready}`),
      [`${table}_ready_group`]: create(`${table}_ready_group`, `(service, "group", priority, created_at, id) ${ready}`),
    };
  }

  /** Keys of creates and claims. */
  private async keysSteps(runner: QueryRunner): Promise<SchemaStep[]> {
    const keys = `${this.options.table}_keys`;
    const columns = await readColumns(runner, keys);
    const steps: SchemaStep[] = [];
    if (columns.length > 0) assertKeysTable(keys, columns);
    else
      steps.push({
        what: `table ${keys} is missing`,
        sql: `CREATE TABLE "${keys}" ( /* ${MADE} */
  id char(64) NOT NULL PRIMARY KEY,
  fingerprint char(64),
  task_ids text,
  expires_at datetime NOT NULL
)`,
      });
    const index = `CREATE INDEX "${keys}_expires" ON "${keys}" (expires_at)`;
    return [...steps, ...(await indexSteps(runner, keys, { [`${keys}_expires`]: index }))];
  }
}

/** TypeORM writes our indexes anew, quoted its own way, when a host's migration rebuilds the table. */
const plain = (text: string): string => text.replaceAll(/["\s]+/g, '').toLowerCase();

async function readColumns(runner: QueryRunner, table: string): Promise<string[]> {
  const rows = (await runner.query('SELECT name FROM pragma_table_info(?)', [table])) as { name: string }[];
  return rows.map((row) => row.name);
}

async function readDefinitions(
  runner: QueryRunner,
  column: 'name' | 'tbl_name',
  table: string,
): Promise<Map<string, string>> {
  const rows = (await runner.query(`SELECT name, sql FROM sqlite_master WHERE ${column} = ? AND sql IS NOT NULL`, [
    table,
  ])) as { name: string; sql: string }[];
  return new Map(rows.map((row) => [row.name, row.sql]));
}

/** Indexes that are missing, or other than they should be. */
async function indexSteps(runner: QueryRunner, table: string, wanted: Record<string, string>): Promise<SchemaStep[]> {
  const present = await readDefinitions(runner, 'tbl_name', table);
  return Object.entries(wanted).flatMap(([name, sql]): SchemaStep[] => {
    const found = present.get(name);
    if (found !== undefined && plain(found) === plain(sql)) return [];
    if (found === undefined) return [{ what: `index ${name} is missing`, sql }];
    const what = `index ${name} is other than the options ask for`;
    return [
      { what, sql: `DROP INDEX "${name}"` },
      { what, sql },
    ];
  });
}
