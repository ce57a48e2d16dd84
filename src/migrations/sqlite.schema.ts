import type { QueryRunner } from 'typeorm';
import { offsetMinutes } from '../store/offset.js';
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
    steps.push(...(await indexSteps(runner, table, this.indexes())));
    for (const side of this.sideTables()) steps.push(...(await this.sideSteps(runner, side)));
    return steps;
  }

  async removal(runner: QueryRunner): Promise<SchemaStep[]> {
    const { table } = this.options;
    const text = (await readDefinitions(runner, 'name', table)).get(table);
    const sides = sideTables(table).map((name) => ({ what: `table ${name}`, sql: `DROP TABLE IF EXISTS "${name}"` }));
    if (text === undefined) return sides;
    if (text.startsWith(this.createTable().slice(0, this.createTable().indexOf('*/'))))
      return [...sides, { what: `table ${table}`, sql: `DROP TABLE "${table}"` }];
    const added = [...text.matchAll(/"(\w+)"[^,"]*\/\* made by @softdd\/task \*\//g)].map((match) => match[1]!);
    return [
      ...sides,
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
      callback_url: 'text',
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

  /** Keys of creates and claims, and callbacks. */
  private sideTables(): SideTable[] {
    const [keys, callbacks] = sideTables(this.options.table) as [string, string];
    return [
      {
        name: keys,
        holds: 'idempotency keys',
        columns: {
          id: 'char(64) NOT NULL PRIMARY KEY',
          fingerprint: 'char(64)',
          task_ids: 'text',
          expires_at: 'datetime NOT NULL',
        },
        indexes: { [`${keys}_expires`]: '(expires_at)' },
      },
      {
        name: callbacks,
        holds: 'callbacks',
        columns: {
          id: 'varchar(36) NOT NULL PRIMARY KEY',
          task_id: 'varchar(36) NOT NULL',
          type: 'varchar(20) NOT NULL',
          url: 'text NOT NULL',
          origin: 'varchar(300) NOT NULL',
          is_own: 'smallint NOT NULL',
          state: 'varchar(10) NOT NULL',
          attempts: 'integer NOT NULL',
          due_at: 'datetime',
          lease_token: 'varchar(36)',
          tries: 'text NOT NULL',
          created_at: 'datetime NOT NULL',
          ended_at: 'datetime',
          body: 'text NOT NULL',
        },
        indexes: {
          [`${callbacks}_due`]: '(due_at, origin) WHERE due_at IS NOT NULL',
          [`${callbacks}_task`]: '(task_id, id)',
          [`${callbacks}_list`]: '(state, id)',
          [`${callbacks}_end`]: '(ended_at) WHERE ended_at IS NOT NULL',
        },
      },
    ];
  }

  private async sideSteps(runner: QueryRunner, side: SideTable): Promise<SchemaStep[]> {
    const { name } = side;
    const present = await readColumns(runner, name);
    const steps: SchemaStep[] = [];
    if (present.length > 0) assertSideTable(side, present);
    else {
      const columns = Object.entries(side.columns).map(([column, definition]) => `${column} ${definition}`);
      steps.push({
        what: `table ${name} is missing`,
        sql: `CREATE TABLE "${name}" ( /* ${MADE} */\n  ${columns.join(',\n  ')}\n)`,
      });
    }
    const indexes = Object.entries(side.indexes).map(([index, rest]): [string, string] => [
      index,
      `CREATE INDEX "${index}" ON "${name}" ${rest}`,
    ]);
    return [...steps, ...(await indexSteps(runner, name, Object.fromEntries(indexes)))];
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
