import type { QueryRunner } from 'typeorm';
import { offsetMinutes } from '../store/offset.js';
import {
  binaryCollation,
  type Column,
  drop,
  hasIndex,
  quote,
  readColumns,
  storage,
  tableComment,
} from './mysql.inspect.js';
import { MysqlReadySchema } from './mysql.ready.js';
import {
  assertSideTable,
  assertTaskTable,
  MADE,
  type SchemaStep,
  type SideTable,
  sideTables,
  type TaskSchema,
  type TaskSchemaOptions,
} from './schema.js';

/** Columns whose values compare byte for byte, trailing spaces included. */
const BINARY: Record<string, number> = { id: 36, user_id: 255, service: 64, group: 64 };
const TEXTS = ['input', 'args', 'temp', 'output'];
const TIMES = ['created_at', 'updated_at'];

export class MysqlTaskSchema implements TaskSchema {
  private readonly ready: MysqlReadySchema;

  constructor(private readonly options: TaskSchemaOptions) {
    this.ready = new MysqlReadySchema(options);
  }

  async missing(runner: QueryRunner): Promise<SchemaStep[]> {
    const collation = await binaryCollation(runner);
    const { table } = this.options;
    const columns = await readColumns(runner, table);
    const steps: SchemaStep[] = [];
    if (columns.length === 0) steps.push({ what: `table ${table} is missing`, sql: this.createTable(collation) });
    else steps.push(...(await this.alterations(runner, columns, collation)));
    steps.push(...(await this.ready.missing(runner, collation)));
    for (const side of this.sideTables(collation)) steps.push(...(await this.sideSteps(runner, side)));
    return steps;
  }

  async removal(runner: QueryRunner): Promise<SchemaStep[]> {
    const { table } = this.options;
    const columns = await readColumns(runner, table);
    const steps = [...this.ready.removal(), ...sideTables(table).map((name) => drop('TABLE', name))];
    if (columns.length === 0) return steps;
    if ((await tableComment(runner, table)) === MADE) return [...steps, drop('TABLE', table)];
    const clauses = columns.filter((column) => column.comment === MADE).map(({ name }) => `DROP COLUMN \`${name}\``);
    for (const name of Object.keys(this.indexes()))
      if (await hasIndex(runner, table, name)) clauses.unshift(`DROP INDEX \`${name}\``);
    if (clauses.length > 0)
      steps.push({ what: 'added columns', sql: `ALTER TABLE \`${table}\` ${clauses.join(', ')}` });
    return steps;
  }

  /** Column -> definition, in the order of a fresh table. */
  private columns(collation: string): Record<string, string> {
    const binary = `CHARACTER SET utf8mb4 COLLATE ${collation}`;
    const offset = offsetMinutes(this.options.timeZone);
    const now = offset === 0 ? 'utc_timestamp(3)' : `utc_timestamp(3) + INTERVAL ${offset} MINUTE`;
    return {
      id: `char(36) ${binary} NOT NULL`,
      user_id: `varchar(255) ${binary} NOT NULL`,
      service: `varchar(64) ${binary} NOT NULL`,
      group: `varchar(64) ${binary} NULL`,
      status: `int NOT NULL DEFAULT ${this.options.status.INIT}`,
      progress: 'tinyint NOT NULL DEFAULT 0',
      input: 'text NULL',
      args: 'text NULL',
      temp: 'text NULL',
      output: 'text NULL',
      error: 'text NULL',
      priority: 'smallint NOT NULL DEFAULT 0',
      run_at: 'datetime(3) NULL',
      attempts: 'int NOT NULL DEFAULT 0',
      max_attempts: 'int NULL',
      releases: 'int NOT NULL DEFAULT 0',
      lease_token: `char(36) ${binary} NULL`,
      lease_expires_at: 'datetime(3) NULL',
      lease_seconds: 'int NULL',
      worker_id: 'varchar(64) NULL',
      claim_key: `varchar(64) ${binary} NULL`,
      callback_url: 'text NULL',
      created_at: `datetime(3) NULL DEFAULT (${now})`,
      updated_at: `datetime(3) NULL DEFAULT (${now})`,
      started_at: 'datetime(3) NULL',
      finished_at: 'datetime(3) NULL',
      // Kept by triggers, not generated: TypeORM reads no table that has a generated column which it didn't make.
      due_at: 'datetime(3) NULL',
    };
  }

  private indexes(): Record<string, string> {
    const { table } = this.options;
    return { [`${table}_owner`]: '(user_id, created_at, id)', [`${table}_due`]: '(due_at)' };
  }

  private createTable(collation: string): string {
    const { table } = this.options;
    const columns = Object.entries(this.columns(collation)).map(([name, definition]) => `\`${name}\` ${definition}`);
    const keys = Object.entries(this.indexes()).map(([name, definition]) => `KEY \`${name}\` ${definition}`);
    return `CREATE TABLE \`${table}\` (
  ${columns.join(',\n  ')},
  PRIMARY KEY (id),
  ${keys.join(',\n  ')}
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COMMENT='${MADE}'`;
  }

  /** One ALTER, so that an adopted table is copied once and is never half changed. */
  private async alterations(runner: QueryRunner, columns: Column[], collation: string): Promise<SchemaStep[]> {
    const { table } = this.options;
    assertTaskTable(
      table,
      columns.map((column) => column.name),
    );
    const present = new Map(columns.map((column) => [column.name, column]));
    const clauses: { what: string; sql: string }[] = [];
    for (const [name, definition] of Object.entries(this.columns(collation))) {
      const column = present.get(name);
      if (!column)
        clauses.push({
          what: `column ${name} is missing`,
          sql: `ADD COLUMN \`${name}\` ${definition} COMMENT '${MADE}'`,
        });
      else if (fits(column, collation) !== true)
        clauses.push({
          what: `column ${name} ${String(fits(column, collation))}`,
          sql: this.modify(column, definition),
        });
    }
    for (const [name, definition] of Object.entries(this.indexes()))
      if (!(await hasIndex(runner, table, name)))
        clauses.push({ what: `index ${name} is missing`, sql: `ADD INDEX \`${name}\` ${definition}` });
    clauses.push(...(await storage(runner, table)));
    if (clauses.length === 0) return [];
    const what = clauses.map((clause) => clause.what).join('; ');
    return [{ what, sql: `ALTER TABLE \`${table}\` ${clauses.map((clause) => clause.sql).join(', ')}` }];
  }

  /** Keys of creates and claims, and callbacks. */
  private sideTables(collation: string): SideTable[] {
    const [keys, callbacks] = sideTables(this.options.table) as [string, string];
    const binary = `CHARACTER SET utf8mb4 COLLATE ${collation}`;
    return [
      {
        name: keys,
        holds: 'idempotency keys',
        columns: {
          id: `char(64) ${binary} NOT NULL`,
          fingerprint: `char(64) ${binary} NULL`,
          task_ids: 'text NULL',
          expires_at: 'datetime(3) NOT NULL',
        },
        indexes: { [`${keys}_expires`]: '(expires_at)' },
      },
      {
        name: callbacks,
        holds: 'callbacks',
        columns: {
          id: `char(36) ${binary} NOT NULL`,
          task_id: `char(36) ${binary} NOT NULL`,
          type: 'varchar(20) NOT NULL',
          url: 'text NOT NULL',
          origin: `varchar(300) ${binary} NOT NULL`,
          is_own: 'tinyint NOT NULL',
          state: `varchar(10) ${binary} NOT NULL`,
          attempts: 'int NOT NULL',
          due_at: 'datetime(3) NULL',
          lease_token: `char(36) ${binary} NULL`,
          tries: 'text NOT NULL',
          created_at: 'datetime(3) NOT NULL',
          ended_at: 'datetime(3) NULL',
          body: 'mediumtext NOT NULL',
        },
        indexes: {
          [`${callbacks}_due`]: '(due_at, origin)',
          [`${callbacks}_task`]: '(task_id, id)',
          [`${callbacks}_list`]: '(state, id)',
          [`${callbacks}_end`]: '(ended_at)',
        },
      },
    ];
  }

  private async sideSteps(runner: QueryRunner, side: SideTable): Promise<SchemaStep[]> {
    const { name } = side;
    const present = await readColumns(runner, name);
    const indexes = Object.entries(side.indexes).map(([index, rest]) => ({ index, key: `\`${index}\` ${rest}` }));
    if (present.length === 0) {
      const columns = Object.entries(side.columns).map(([column, definition]) => `${column} ${definition}`);
      const keys = ['PRIMARY KEY (id)', ...indexes.map(({ key }) => `KEY ${key}`)];
      return [
        {
          what: `table ${name} is missing`,
          sql: `CREATE TABLE \`${name}\` (\n  ${[...columns, ...keys].join(',\n  ')}\n)
ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COMMENT='${MADE}'`,
        },
      ];
    }
    assertSideTable(
      side,
      present.map((column) => column.name),
    );
    const steps: SchemaStep[] = [];
    for (const { index, key } of indexes)
      if (!(await hasIndex(runner, name, index)))
        steps.push({ what: `index ${index} is missing`, sql: `ALTER TABLE \`${name}\` ADD INDEX ${key}` });
    return steps;
  }

  private modify(column: Column, definition: string): string {
    const kept = column.comment === '' ? '' : ` COMMENT ${quote(column.comment)}`;
    // A host that stores longer texts than TEXT keeps them.
    if (TEXTS.includes(column.name))
      return `MODIFY \`${column.name}\` ${column.type} CHARACTER SET utf8mb4 NULL${kept}`;
    // Neither are a host's wider strings cut.
    const width = BINARY[column.name] ?? 0;
    const wide =
      (column.length ?? 0) > width ? definition.replace(/^(var)?char\(\d+\)/, `varchar(${column.length})`) : definition;
    return `MODIFY \`${column.name}\` ${wide}${kept}`;
  }
}

/** True, or what is the matter with a column that was there before us. */
function fits(column: Column, collation: string): true | string {
  const width = BINARY[column.name];
  if (width !== undefined) {
    if ((column.length ?? 0) < width) return `is narrower than ${width} characters`;
    return column.collation === collation || `compares by ${column.collation}, not byte for byte`;
  }
  if (TEXTS.includes(column.name)) {
    if (!column.collation?.startsWith('utf8mb4')) return 'cannot hold every character';
    return column.nullable || 'does not take NULL';
  }
  if (TIMES.includes(column.name) && column.type.startsWith('datetime'))
    return column.precision === 3 || 'keeps no milliseconds';
  return true;
}
