import type { QueryRunner } from 'typeorm';
import type { Engine } from '../../database/dialects/dialect.js';
import { offsetMinutes } from '../../database/offset.js';
import type { LocalTimeColumn, StoredTime, StoredTimes } from '../../database/stored-time.js';
import type { SchemaStep, TaskSchema, TaskSchemaOptions } from '../schema.js';
import { assertDeclared, type Column, type Index, type SideTable, type Table, tableBeside } from '../tables/table.js';
import { tasksTable } from '../tables/tasks.table.js';
import { columnType } from './column-types.js';

/** An existing column. */
export interface Found {
  name: string;
  /** We added it. */
  isOurs: boolean;
  /** For a time: whether it has a zone, and the digits of a second. */
  zoned: boolean;
  digits: number;
}

/** The change that makes an existing column fit its declaration. */
export interface Change {
  /** The problem with the column, as the end of a sentence about it. */
  what: string;
  /** A clause of ALTER TABLE. */
  sql: string;
}

/** A clause of ALTER TABLE that adds or changes a column of the task table. */
export interface Alteration extends Change {
  name: string;
  column: Column;
  isNew: boolean;
}

/** Compares the declared tables with those of a database. Each engine adds its SQL. */
export abstract class EngineSchema<F extends Found> implements TaskSchema {
  protected readonly tasks: Table;
  private readonly sides: Table[];

  constructor(
    protected readonly runner: QueryRunner,
    protected readonly options: TaskSchemaOptions,
    sides: readonly SideTable[],
  ) {
    this.tasks = tasksTable(options);
    this.sides = sides.map((side) => tableBeside(options.table, side));
  }

  async missing(): Promise<SchemaStep[]> {
    const found = await this.columnsOf(this.tasks.name);
    const steps = await this.missingOf(this.tasks, found);
    steps.push(...(await this.kept(found)));
    for (const side of this.sides) steps.push(...(await this.missingOf(side)));
    return steps;
  }

  async times(): Promise<StoredTimes> {
    const found = await this.columnsOf(this.tasks.name);
    const of = (column: LocalTimeColumn): StoredTime => {
      const { zoned, digits } = found.find(({ name }) => name === column)!;
      const offset = zoned ? 0 : offsetMinutes(this.options.timeZone);
      return { offsetMinutes: offset, digits: Math.min(digits, 3), zoned };
    };
    return { created_at: of('created_at'), updated_at: of('updated_at') };
  }

  async removal(): Promise<SchemaStep[]> {
    const steps = [...this.keptRemoval(), ...this.sides.map(({ name }) => this.drop(name))];
    const found = await this.columnsOf(this.tasks.name);
    if (found.length === 0) return steps;
    if (await this.isMade(this.tasks.name)) return [...steps, this.drop(this.tasks.name)];
    const added = found.filter(({ isOurs }) => isOurs).map(({ name }) => name);
    return [...steps, ...(await this.unadoption(added))];
  }

  removalOf(sides: readonly SideTable[]): SchemaStep[] {
    return sides.map((side) => this.drop(tableBeside(this.options.table, side).name));
  }

  protected async missingOf(table: Table, found?: F[]): Promise<SchemaStep[]> {
    found ??= await this.columnsOf(table.name);
    if (found.length === 0) return this.creation(table);
    assertDeclared(
      table,
      found.map(({ name }) => name),
    );
    const adoption = table === this.tasks ? await this.adoption(this.alterations(found), found) : [];
    return [...adoption, ...(await this.indexSteps(table))];
  }

  private alterations(found: F[]): Alteration[] {
    return this.columns(this.tasks).flatMap(([name, column]): Alteration[] => {
      const present = found.find((some) => some.name === name);
      if (!present)
        return [{ name, column, isNew: true, what: `column ${name} is missing`, sql: this.addition(name, column) }];
      const change = column.original && this.change(present, column);
      return change ? [{ name, column, isNew: false, what: `column ${name} ${change.what}`, sql: change.sql }] : [];
    });
  }

  /** Columns that the engine stores, by name. */
  protected columns(table: Table): [string, Column][] {
    return Object.entries(table.columns).filter(([, { derived }]) => !derived);
  }

  /** The lines of CREATE TABLE. */
  protected lines(table: Table): string[] {
    const columns = this.columns(table).map(([name, column]) => `${this.quote(name)} ${this.definition(column)}`);
    const key = (table.primaryKey ?? ['id']).map((name) => this.quote(name));
    return [...columns, `PRIMARY KEY (${key.join(', ')})`];
  }

  protected definition(column: Column): string {
    const preset = column.kind === 'local time' ? this.now() : column.default;
    const end = preset === undefined ? '' : ` DEFAULT ${preset === '' ? `''` : preset}`;
    return `${this.type(column)}${column.nullable ? '' : ' NOT NULL'}${end}`;
  }

  /** Whether an index that is not there is made. */
  protected isWanted({ forTurns = false }: Index): boolean {
    return !forTurns || this.options.turns;
  }

  protected drop(table: string): SchemaStep {
    return { what: `table ${table}`, sql: `DROP TABLE IF EXISTS ${this.path(table)}` };
  }

  /** A table or an index in the form that statements use. */
  protected path(name: string): string {
    return this.quote(name);
  }

  protected type(column: Column): string {
    return columnType(this.engine, column);
  }

  protected abstract readonly engine: Engine;
  protected abstract quote(name: string): string;
  /** The default of a `local time`. */
  protected abstract now(): string;

  protected abstract columnsOf(table: string): Promise<F[]>;
  /** Whether the table has our mark. */
  protected abstract isMade(table: string): Promise<boolean>;

  /** Steps that create a table with its indexes. */
  protected abstract creation(table: Table): Promise<SchemaStep[]>;
  /** Steps for indexes of an existing table that are missing or differ from their declaration. */
  protected abstract indexSteps(table: Table): Promise<SchemaStep[]>;

  /** The clause that adds a column with our mark. */
  protected abstract addition(name: string, column: Column): string;
  /** Steps that adopt the existing task table. */
  protected abstract adoption(alterations: Alteration[], found: F[]): Promise<SchemaStep[]> | SchemaStep[];
  /** Steps that remove our indexes and the added columns from an adopted table. */
  protected abstract unadoption(added: string[]): Promise<SchemaStep[]> | SchemaStep[];

  /** undefined if the column fits. */
  protected change(_found: F, _column: Column): Change | undefined {
    return undefined;
  }

  /** Steps for what the engine maintains with triggers. `_found` is empty if the task table does not exist yet. */
  protected kept(_found: F[]): Promise<SchemaStep[]> {
    return Promise.resolve([]);
  }

  protected keptRemoval(): SchemaStep[] {
    return [];
  }
}
