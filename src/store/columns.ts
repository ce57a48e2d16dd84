import sql, { join, type Sql } from 'sql-template-tag';
import type { DataSource, EntityMetadata } from 'typeorm';
import type { ColumnMetadata } from 'typeorm/metadata/ColumnMetadata.js';
import { type Task, TASK_COLUMNS } from '../contract/task.entity.js';
import { FromNow } from './clock.js';
import { type Dialect, isTimeColumn } from './dialect.js';
import type { Cell } from './rows.js';
import type { Row } from './transaction.js';

/** Tasks as they were read, and the database's time of reading. */
export interface Reading<T extends Task> {
  tasks: T[];
  now: Date;
}

/** What a task becomes, by property; undefined leaves one alone. */
export type TaskValues = Record<string, unknown>;

/** Between rows and the registration's entity: the columns that TypeORM knows, a host's own included. */
export class TaskColumns<T extends Task> {
  private readonly selected: ColumnMetadata[];
  private readonly writable: ColumnMetadata[];
  private readonly byProperty: Map<string, ColumnMetadata>;
  /** Whether the host's entity has columns of its own: what the database makes of those is not ours to know. */
  readonly hasOwn: boolean;
  /** The SELECT list for a whole task. */
  readonly list: Sql;
  /** The same, with the database's time. */
  readonly timedList: Sql;

  constructor(
    private readonly dataSource: DataSource,
    private readonly metadata: EntityMetadata,
    private readonly dialect: Dialect,
  ) {
    this.selected = metadata.columns.filter((column) => !column.isVirtual && column.isSelect);
    this.writable = metadata.columns.filter((column) => !column.isVirtual);
    this.byProperty = new Map(metadata.columns.map((column) => [column.propertyName, column]));
    this.hasOwn = metadata.columns.some((column) => !TASK_COLUMNS.includes(column.propertyName));
    this.list = join(
      this.selected.map(({ databaseName }) => sql`${dialect.read(databaseName)} AS ${dialect.id(databaseName)}`),
    );
    this.timedList = sql`${this.list}, ${dialect.clock} AS softdd_now`;
  }

  /** An instance of the entity with a row's values. */
  toTask(row: Row): T {
    const task = this.metadata.create() as T;
    for (const column of this.selected) {
      const value = row[column.databaseName];
      if (typeof value === 'string' && isTimeColumn(column.databaseName)) this.set(task, column, new Date(value));
      else if (isPlain(column)) this.set(task, column, value);
      else this.set(task, column, this.dataSource.driver.prepareHydratedValue(value, column));
    }
    return task;
  }

  /** Tasks of rows of the timed list. */
  toReading(rows: Row[]): Reading<T> {
    return { tasks: rows.map((row) => this.toTask(row)), now: new Date(rows[0]?.softdd_now as string | Date) };
  }

  /** The task that an INSERT of these values at this time makes, where the host's entity has no columns of its own. */
  toNewTask(values: TaskValues, now: Date): T {
    const task = this.metadata.create() as T;
    for (const column of this.selected)
      this.set(task, column, values[column.propertyName] ?? (column.default as unknown) ?? null);
    return this.become(task, { createdAt: now }, now);
  }

  /** The task after an UPDATE at this time: what is said from now on becomes a time. */
  become(task: T, values: TaskValues, now: Date): T {
    for (const [property, value] of Object.entries({ ...values, updatedAt: now }))
      if (value !== undefined) this.set(task, this.byProperty.get(property)!, at(value, now));
    return task;
  }

  /** What is written to a row, for those properties that are given (undefined leaves a column alone). */
  toCells(values: TaskValues, now?: Date): [column: string, cell: Cell][] {
    const cells: [string, Cell][] = [];
    for (const column of this.writable) {
      const value = column.embeddedMetadata ? column.getEntityValue(values) : values[column.propertyName];
      if (value !== undefined) cells.push([column.databaseName, this.toCell(at(value, now), column)]);
    }
    return cells;
  }

  /** `column = value, …` for an UPDATE of rows alike. */
  toAssignments(values: TaskValues): Sql[] {
    const { dialect } = this;
    return this.toCells(values).map(([name, cell]) => {
      const said = cell instanceof FromNow ? dialect.after(cell.seconds) : sql`${cell}`;
      return sql`${dialect.id(name)} = ${said}`;
    });
  }

  private toCell(value: unknown, column: ColumnMetadata): Cell {
    if (isPlain(column)) return value;
    return this.dataSource.driver.preparePersistentValue(value, column);
  }

  private set(task: T, column: ColumnMetadata, value: unknown): void {
    if (column.embeddedMetadata) column.setEntityValue(task, value);
    else (task as TaskValues)[column.propertyName] = value;
  }
}

/** A column of the queue's, stored as it is: neither TypeORM nor the host has anything to do with its values. */
const isPlain = (column: ColumnMetadata): boolean =>
  column.transformer === undefined && TASK_COLUMNS.includes(column.propertyName);

const at = (value: unknown, now: Date | undefined): unknown =>
  now && value instanceof FromNow ? new Date(now.getTime() + value.seconds * 1000) : value;
