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

/** What a column needs on its way to and from the database. */
interface Cast {
  readonly metadata: ColumnMetadata;
  readonly name: string;
  readonly property: string;
  readonly isTime: boolean;
  /** The queue's own, stored as it is: neither TypeORM nor the host has anything to do with its values. */
  readonly isPlain: boolean;
  readonly isEmbedded: boolean;
  /** What a row has where nothing was said. */
  readonly initial: unknown;
}

/** Between rows and the registration's entity: the columns that TypeORM knows, a host's own included. */
export class TaskColumns<T extends Task> {
  private readonly selected: Cast[];
  private readonly writable: Cast[];
  private readonly byProperty: Map<string, Cast>;
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
    this.writable = metadata.columns.filter((column) => !column.isVirtual).map(castOf);
    this.selected = this.writable.filter((cast) => cast.metadata.isSelect);
    this.byProperty = new Map(this.writable.map((cast) => [cast.property, cast]));
    this.hasOwn = this.writable.some(({ property }) => !TASK_COLUMNS.includes(property));
    this.list = join(this.selected.map(({ name }) => sql`${dialect.read(name)} AS ${dialect.id(name)}`));
    this.timedList = sql`${this.list}, ${dialect.clock} AS softdd_now`;
  }

  /** An instance of the entity with a row's values. */
  toTask(row: Row): T {
    const task = this.metadata.create() as T;
    for (const cast of this.selected) {
      const value = row[cast.name];
      if (cast.isTime && value !== null) set(task, cast, new Date(value as string | number));
      else if (cast.isPlain) set(task, cast, value);
      else set(task, cast, this.dataSource.driver.prepareHydratedValue(value, cast.metadata));
    }
    return task;
  }

  /** Tasks of rows of the timed list. */
  toReading(rows: Row[]): Reading<T> {
    return { tasks: rows.map((row) => this.toTask(row)), now: new Date(rows[0]?.softdd_now as string | number) };
  }

  /** The task that an INSERT of these values at this time makes, its times included, where the host's entity has no columns of its own. */
  toNewTask(values: TaskValues, now: Date): T {
    const task = this.metadata.create() as T;
    for (const cast of this.selected) set(task, cast, at(values[cast.property] ?? cast.initial, now));
    return task;
  }

  /** The task after an UPDATE at this time: what is said from now on becomes a time. */
  become(task: T, values: TaskValues, now: Date): T {
    for (const property of Object.keys(values))
      if (values[property] !== undefined) set(task, this.byProperty.get(property)!, at(values[property], now));
    set(task, this.byProperty.get('updatedAt')!, now);
    return task;
  }

  /** What is written to a row, for those properties that are given (undefined leaves a column alone). */
  toCells(values: TaskValues, now?: Date): [column: string, cell: Cell][] {
    const cells: [string, Cell][] = [];
    for (const cast of this.writable) {
      const value = cast.isEmbedded ? cast.metadata.getEntityValue(values) : values[cast.property];
      if (value !== undefined) cells.push([cast.name, this.toCell(at(value, now), cast)]);
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

  private toCell(value: unknown, { isPlain, metadata }: Cast): Cell {
    return isPlain ? value : this.dataSource.driver.preparePersistentValue(value, metadata);
  }
}

const castOf = (metadata: ColumnMetadata): Cast => ({
  metadata,
  name: metadata.databaseName,
  property: metadata.propertyName,
  isTime: isTimeColumn(metadata.databaseName),
  isPlain: metadata.transformer === undefined && TASK_COLUMNS.includes(metadata.propertyName),
  isEmbedded: metadata.embeddedMetadata !== undefined,
  initial: (metadata.default as unknown) ?? null,
});

function set(task: Task, { metadata, property, isEmbedded }: Cast, value: unknown): void {
  if (isEmbedded) metadata.setEntityValue(task, value);
  else (task as unknown as TaskValues)[property] = value;
}

const at = (value: unknown, now: Date | undefined): unknown => {
  if (!now || !(value instanceof FromNow)) return value;
  return value.seconds === 0 ? now : new Date(now.getTime() + value.seconds * 1000);
};
