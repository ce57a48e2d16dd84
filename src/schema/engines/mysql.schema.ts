import type { QueryRunner } from 'typeorm';
import { offsetMinutes } from '../../database/offset.js';
import { MADE, type SchemaStep, type TaskSchemaOptions } from '../schema.js';
import { assertDeclared, type Column, isExact, type SideTable, type Table, tableBeside } from '../tables/table.js';
import { READY } from '../tables/ready.table.js';
import { RUNNING } from '../tables/running.table.js';
import { type Alteration, type Change, EngineSchema } from './engine.schema.js';
import {
  assertNoForeignKeys,
  hasIndex,
  type MysqlColumn,
  quoteText,
  readColumns,
  storage,
  tableComment,
} from './mysql.inspect.js';
import { MysqlTriggers } from './mysql.triggers.js';

export class MysqlTaskSchema extends EngineSchema<MysqlColumn> {
  protected readonly engine = 'mysql';
  private readonly ready: Table;
  private readonly running: Table;
  private readonly triggers: MysqlTriggers;

  constructor(
    runner: QueryRunner,
    options: TaskSchemaOptions,
    sides: readonly SideTable[],
    /** The collation that compares bytes and does not pad. */
    private readonly collation: string,
  ) {
    super(runner, options, sides);
    this.ready = tableBeside(options.table, READY);
    this.running = tableBeside(options.table, RUNNING);
    this.triggers = new MysqlTriggers(runner, options, { ready: this.ready.name, running: this.running.name });
  }

  protected columnsOf(table: string): Promise<MysqlColumn[]> {
    return readColumns(this.runner, table);
  }

  protected async isMade(table: string): Promise<boolean> {
    return (await tableComment(this.runner, table)) === MADE;
  }

  protected override columns(table: Table): [string, Column][] {
    return Object.entries(table.columns);
  }

  protected creation(table: Table): Promise<SchemaStep[]> {
    const keys = this.indexes(table, true).map(({ name, text }) => `KEY \`${name}\` ${text}`);
    const sql = `CREATE TABLE \`${table.name}\` (\n  ${[...this.lines(table), ...keys].join(',\n  ')}
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COMMENT='${MADE}'`;
    return Promise.resolve([{ what: `table ${table.name} is missing`, sql }]);
  }

  /** For an existing index the name is enough. */
  protected async indexSteps(table: Table): Promise<SchemaStep[]> {
    const clauses: Change[] = [];
    for (const { name, text } of this.indexes(table, true))
      if (!(await hasIndex(this.runner, table.name, name)))
        clauses.push({ what: `index ${name} is missing`, sql: `ADD INDEX \`${name}\` ${text}` });
    if (table === this.tasks) return this.alter(clauses, 'reads all rows, writes go on');
    return clauses.map(({ what, sql }) => ({ what, sql: `ALTER TABLE \`${table.name}\` ${sql}` }));
  }

  private indexes({ name, indexes }: Table, onlyWanted = false): { name: string; text: string }[] {
    return Object.entries(indexes)
      .filter(([, index]) => index.except !== 'mysql' && (!onlyWanted || this.isWanted(index)))
      .map(([suffix, { on }]) => ({
        name: `${name}_${suffix}`,
        text: `(${on.map((column) => this.quote(column)).join(', ')})`,
      }));
  }

  protected override async kept(found: MysqlColumn[]): Promise<SchemaStep[]> {
    const zoned = found.some((column) => column.name === 'created_at' && column.zoned);
    return [
      ...(await this.missingOfReady()),
      ...(await this.missingOf(this.running)),
      ...(await this.triggers.missing({ zoned, isNew: found.length === 0 })),
    ];
  }

  /** Earlier releases made the table with fewer columns. The triggers fill the rest in. */
  private async missingOfReady(): Promise<SchemaStep[]> {
    const found = (await this.columnsOf(this.ready.name)).map(({ name }) => name);
    const added = this.columns(this.ready).filter(([name]) => found.length > 0 && !found.includes(name));
    if (added.length === 0) return this.missingOf(this.ready);
    assertDeclared(this.ready, [...found, 'user_id']);
    const clauses = added.map(([name, column]) => `ADD COLUMN ${this.quote(name)} ${this.definition(column)}`);
    const sql = `ALTER TABLE ${this.quote(this.ready.name)} ${clauses.join(', ')}`;
    return [{ what: `${this.ready.name} has no column user_id`, sql }, ...(await this.indexSteps(this.ready))];
  }

  protected override keptRemoval(): SchemaStep[] {
    return [...this.triggers.removal(), this.drop(this.ready.name), this.drop(this.running.name)];
  }

  protected addition(name: string, column: Column): string {
    return `ADD COLUMN \`${name}\` ${this.definition(column)} COMMENT '${MADE}'`;
  }

  protected override change(found: MysqlColumn, column: Column): Change | undefined {
    const what = this.misfit(found, column);
    return what === undefined ? undefined : { what, sql: this.modify(found, column) };
  }

  /** The problem with a column that existed before. */
  private misfit(found: MysqlColumn, column: Column): string | undefined {
    if (isExact(column)) {
      if ((found.length ?? 0) < column.length) return `is narrower than ${column.length} characters`;
      return found.collation === this.collation ? undefined : `compares by ${found.collation}, not byte for byte`;
    }
    if (column.kind === 'text') {
      if (!found.collation?.startsWith('utf8mb4')) return 'cannot hold every character';
      return found.nullable ? undefined : 'does not accept NULL';
    }
    return column.kind === 'local time' && !found.hasDefault ? 'has no default' : undefined;
  }

  private modify({ name, type, length, comment, zoned, digits }: MysqlColumn, column: Column): string {
    // The type stays, because a Laravel application may still read the column.
    if (column.kind === 'local time')
      return `ALTER COLUMN \`${name}\` SET DEFAULT ${zoned ? `(now(${digits}))` : this.now(digits)}`;
    const kept = comment === '' ? '' : ` COMMENT ${quoteText(comment)}`;
    // If the host stores longer texts than TEXT, they are kept.
    if (column.kind === 'text') return `MODIFY \`${name}\` ${type} CHARACTER SET utf8mb4 NULL${kept}`;
    // A host's wider strings are kept, too.
    const wide = (length ?? 0) > column.length! ? { ...column, kind: 'key' as const, length: length! } : column;
    return `MODIFY \`${name}\` ${this.definition(wide)}${kept}`;
  }

  /**
   * One ALTER for all columns, so that an adopted table is copied once, while writes wait. Indexes have their own
   * ALTER, which builds them while writes continue.
   */
  protected async adoption(alterations: Alteration[]): Promise<SchemaStep[]> {
    const { name: table } = this.tasks;
    const changed = alterations.filter(({ isNew, column }) => !isNew && column.kind !== 'local time');
    await assertNoForeignKeys(
      this.runner,
      table,
      changed.map(({ name }) => name),
    );
    const form = await storage(this.runner, table);
    const isCopied = changed.length + form.length > 0;
    return this.alter([...alterations, ...form], isCopied ? 'copies the table, and writes to it wait' : 'at once');
  }

  protected async unadoption(added: string[]): Promise<SchemaStep[]> {
    const clauses = added.map((name) => `DROP COLUMN \`${name}\``);
    for (const { name } of this.indexes(this.tasks))
      if (await hasIndex(this.runner, this.tasks.name, name)) clauses.unshift(`DROP INDEX \`${name}\``);
    return this.alter(clauses.map((sql) => ({ what: 'added columns', sql })));
  }

  /** The clauses in one statement on the task table. */
  private alter(clauses: Change[], effect?: string): SchemaStep[] {
    if (clauses.length === 0) return [];
    const what = [...new Set(clauses.map((clause) => clause.what))].join('; ');
    const sql = `ALTER TABLE \`${this.tasks.name}\` ${clauses.map((clause) => clause.sql).join(', ')}`;
    return [{ what, sql, ...(effect === undefined ? {} : { effect }) }];
  }

  protected override type(column: Column): string {
    return super.type(column) + (isExact(column) ? ` CHARACTER SET utf8mb4 COLLATE ${this.collation}` : '');
  }

  /** The time that PHP would write now, as exact as the column keeps it. */
  protected now(digits = 3): string {
    const offset = offsetMinutes(this.options.timeZone);
    return `(utc_timestamp(${digits})${offset === 0 ? '' : ` + INTERVAL ${offset} MINUTE`})`;
  }

  protected quote(name: string): string {
    return `\`${name}\``;
  }
}
