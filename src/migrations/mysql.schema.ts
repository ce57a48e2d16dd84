import type { QueryRunner } from 'typeorm';
import { offsetMinutes } from '../store/offset.js';
import {
  binaryCollation,
  hasIndex,
  readColumns,
  readTriggers,
  squeeze,
  storage,
  tableComment,
  type Column,
} from './mysql.inspect.js';
import { assertTaskTable, MADE, type SchemaStep, type TaskSchema, type TaskSchemaOptions } from './schema.js';

/** Columns whose values compare byte for byte, trailing spaces included. */
const BINARY: Record<string, number> = { id: 36, user_id: 255, service: 64, group: 64 };
const TEXTS = ['input', 'args', 'temp', 'output'];
const TIMES = ['created_at', 'updated_at'];

export class MysqlTaskSchema implements TaskSchema {
  private readonly ready: string;
  private readonly filled: string;

  constructor(private readonly options: TaskSchemaOptions) {
    this.ready = `${options.table}_ready`;
    this.filled = `rows of ${options.table} with status ${options.status.BEGIN}, kept by triggers`;
  }

  async missing(runner: QueryRunner): Promise<SchemaStep[]> {
    const collation = await binaryCollation(runner);
    const { table } = this.options;
    const columns = await readColumns(runner, table);
    const steps: SchemaStep[] = [];
    if (columns.length === 0) steps.push({ what: `table ${table} is missing`, sql: this.createTable(collation) });
    else steps.push(...(await this.alterations(runner, columns, collation)));
    return [...steps, ...(await this.readySteps(runner, collation))];
  }

  async removal(runner: QueryRunner): Promise<SchemaStep[]> {
    const { table } = this.options;
    const columns = await readColumns(runner, table);
    const steps = Object.keys(this.triggers()).map((name) => drop('TRIGGER', name));
    steps.push(drop('TABLE', this.ready));
    if (columns.length === 0) return steps;
    if ((await tableComment(runner, table)) === MADE) return [...steps, drop('TABLE', table)];
    const clauses = columns.filter((column) => column.comment === MADE).map(({ name }) => `DROP COLUMN \`${name}\``);
    if (await hasIndex(runner, table, `${table}_owner`)) clauses.unshift(`DROP INDEX \`${table}_owner\``);
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
      worker_id: 'varchar(64) NULL',
      claim_key: `varchar(64) ${binary} NULL`,
      created_at: `datetime(3) NULL DEFAULT (${now})`,
      updated_at: `datetime(3) NULL DEFAULT (${now})`,
      started_at: 'datetime(3) NULL',
      finished_at: 'datetime(3) NULL',
    };
  }

  private createTable(collation: string): string {
    const { table } = this.options;
    const columns = Object.entries(this.columns(collation)).map(([name, definition]) => `\`${name}\` ${definition}`);
    return `CREATE TABLE \`${table}\` (
  ${columns.join(',\n  ')},
  PRIMARY KEY (id),
  KEY \`${table}_owner\` (user_id, created_at, id)
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
    if (!(await hasIndex(runner, table, `${table}_owner`)))
      clauses.push({
        what: `index ${table}_owner is missing`,
        sql: `ADD INDEX \`${table}_owner\` (user_id, created_at, id)`,
      });
    clauses.push(...(await storage(runner, table)));
    if (clauses.length === 0) return [];
    const what = clauses.map((clause) => clause.what).join('; ');
    return [{ what, sql: `ALTER TABLE \`${table}\` ${clauses.map((clause) => clause.sql).join(', ')}` }];
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

  private async readySteps(runner: QueryRunner, collation: string): Promise<SchemaStep[]> {
    const { table, status } = this.options;
    const steps: SchemaStep[] = [];
    const comment = await tableComment(runner, this.ready);
    const binary = `CHARACTER SET utf8mb4 COLLATE ${collation}`;
    if (comment === undefined)
      steps.push({
        what: `table ${this.ready} is missing`,
        sql: `CREATE TABLE \`${this.ready}\` (
  service varchar(64) ${binary} NOT NULL,
  priority smallint NOT NULL,
  created_at datetime(3) NOT NULL,
  task_id char(36) ${binary} NOT NULL,
  \`group\` varchar(64) ${binary} NULL,
  PRIMARY KEY (service, priority, created_at, task_id),
  ${this.groupIndex()}
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`,
      });
    else if (!(await hasIndex(runner, this.ready, `${this.ready}_group`)))
      steps.push({
        what: `index ${this.ready}_group is missing`,
        sql: `ALTER TABLE \`${this.ready}\` ADD ${this.groupIndex()}`,
      });
    const present = await readTriggers(runner, table);
    const triggers = Object.entries(this.triggers()).filter(([name, { body }]) => present.get(name) !== squeeze(body));
    // Writes between two triggers are missed: whatever interrupts us from here on, the next run fills again.
    if (triggers.length > 0 && comment === this.filled)
      steps.push({ what: `${this.ready} is not filled`, sql: `ALTER TABLE \`${this.ready}\` COMMENT = ''` });
    // MySQL shows triggers only to those who may make them.
    const hidden = present.size === 0 ? ', or hidden from this user, who needs the TRIGGER privilege to see it' : '';
    for (const [name, { event, body }] of triggers) {
      const found = present.get(name);
      if (found !== undefined) steps.push(drop('TRIGGER', name));
      steps.push({
        what: `trigger ${name} is ${found === undefined ? `missing${hidden}` : 'other than the options ask for'}`,
        sql: `CREATE TRIGGER \`${name}\` AFTER ${event} ON \`${table}\` FOR EACH ROW ${body}`,
      });
    }
    if (steps.length === 0 && comment === this.filled) return [];
    // Last, and marked by the comment: interrupted before it, the next run fills again.
    return [
      ...steps,
      {
        what: `${this.ready} holds other rows than those with status ${status.BEGIN}`,
        sql: `DELETE r FROM \`${this.ready}\` r LEFT JOIN \`${table}\` t ON t.id = r.task_id
          WHERE t.id IS NULL OR NOT t.status <=> ${status.BEGIN}`,
      },
      {
        what: `${this.ready} is not filled`,
        sql: `INSERT IGNORE INTO \`${this.ready}\` (service, priority, created_at, task_id, \`group\`)
          SELECT service, priority, ${created('')}, id, \`group\` FROM \`${table}\` WHERE status = ${status.BEGIN}`,
      },
      { what: `${this.ready} is not filled`, sql: `ALTER TABLE \`${this.ready}\` COMMENT = ${quote(this.filled)}` },
    ];
  }

  private groupIndex(): string {
    return `KEY \`${this.ready}_group\` (service, \`group\`, priority, created_at, task_id)`;
  }

  /** A row is in the ready table exactly while it is claimable, whoever writes it. */
  private triggers(): Record<string, { event: string; body: string }> {
    const ready = `\`${this.ready}\``;
    const begin = this.options.status.BEGIN;
    // A duplicate is an orphan: TRUNCATE fires no trigger, and then the same rows were loaded again.
    const add = `INSERT INTO ${ready} (service, priority, created_at, task_id, \`group\`)
    VALUES (NEW.service, NEW.priority, ${created('NEW.')}, NEW.id, NEW.\`group\`)
    ON DUPLICATE KEY UPDATE \`group\` = NEW.\`group\``;
    const remove = `DELETE FROM ${ready} WHERE service = OLD.service AND priority = OLD.priority
    AND created_at = ${created('OLD.')} AND task_id = OLD.id`;
    const same = `OLD.id = NEW.id AND OLD.service = NEW.service AND OLD.\`group\` <=> NEW.\`group\`
    AND OLD.priority = NEW.priority AND OLD.created_at <=> NEW.created_at`;
    return {
      [`${this.ready}_insert`]: { event: 'INSERT', body: `IF NEW.status = ${begin} THEN ${add}; END IF` },
      [`${this.ready}_update`]: {
        event: 'UPDATE',
        body: `IF NOT (OLD.status <=> NEW.status AND ${same}) THEN
  IF OLD.status = ${begin} THEN ${remove}; END IF;
  IF NEW.status = ${begin} THEN ${add}; END IF;
END IF`,
      },
      [`${this.ready}_delete`]: { event: 'DELETE', body: `IF OLD.status = ${begin} THEN ${remove}; END IF` },
    };
  }
}

/** A row without a creation time counts as oldest; the key must be the same when the row is removed. */
const created = (row: string): string => `COALESCE(${row}created_at, TIMESTAMP'1970-01-01 00:00:00')`;

const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const drop = (kind: 'TABLE' | 'TRIGGER', name: string): SchemaStep => ({
  what: `${kind.toLowerCase()} ${name}`,
  sql: `DROP ${kind} IF EXISTS \`${name}\``,
});

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
