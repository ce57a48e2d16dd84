import sql, { join, type Sql } from 'sql-template-tag';
import type { DataSource, EntityMetadata } from 'typeorm';
import type { Task } from '../../contract/task.entity.js';
import { TASK_COLUMNS } from '../../contract/task.fields.js';
import { BOUNDS } from '../../validation/rules.js';
import { FromNow } from '../../database/clock.js';
import { type Dialect, isTimeColumn, literal, sizeOf } from '../../database/dialects/dialect.js';
import { type Cell, type RowToWrite, Shape } from '../../database/rows.js';
import { cutTime } from '../../database/stored-time.js';
import { readTime } from '../../database/read-time.js';
import type { Row } from '../../database/transaction.js';
import { type ColumnMetadata, fromDatabase, toDatabase } from '../../database/typeorm-internals.js';
import { type RowReader, rowReader } from './row-reader.js';

/** The most bytes of texts that one statement reads. A single row may have more. */
export const READ_BYTES = 5 * 1024 * 1024;

/** Rows of tasks as they were read, and the database's time of the read. */
export interface Reading {
  rows: Row[];
  now: Date;
}

/** A SELECT list, and the same list with the database's time. */
interface Lists {
  list: Sql;
  timed: Sql;
}

/** New values of a task by property. undefined leaves a column unchanged. */
export type TaskValues = Record<string, unknown>;

/** How to convert the values of one column to and from the database. */
interface Cast {
  readonly metadata: ColumnMetadata;
  readonly name: string;
  readonly property: string;
  readonly isTime: boolean;
  /** A column of the queue that is stored as it is: neither TypeORM nor the host converts its values. */
  readonly isPlain: boolean;
  readonly isEmbedded: boolean;
  /** Its values may be long. */
  readonly isLong: boolean;
  /** The value of a new row in which the property was not given. */
  readonly initial: unknown;
}

/** Column types of a few bytes. Any other type without a length may hold long values. */
const SHORT_TYPE = /int|serial|num|dec|float|double|real|money|bool|bit|date|time|year|uuid|enum/i;
/** The longest `varchar` that counts as short. */
const SHORT_LENGTH = 1000;

/**
 * Converts between rows and the registration's entity. It knows every column that TypeORM knows, a host's own included.
 */
export class TaskColumns<T extends Task> {
  private readonly selected: Cast[];
  private readonly writable: Cast[];
  /** Sets what is stored as it is. */
  private readonly readPlain: RowReader;
  /** The other selected columns. */
  private readonly converted: Cast[];
  private readonly byProperty: Map<string, Cast>;
  private readonly noColumn = new Shape();
  /** Whether the host's entity has columns of its own. The database may change their values (defaults, triggers). */
  readonly hasOwn: boolean;
  /** Columns whose values the host or TypeORM converts. */
  readonly hostColumns: ReadonlySet<string>;
  /** SELECT lists by power of two of the number of rows. 0: whole rows. */
  private readonly lists = new Map<number, Lists>();
  /** The SELECT list of the texts that `listOf` may have left out. */
  readonly longList: Sql;
  /** The bytes of a row's long values together. */
  readonly size: Sql;
  /** Names of the columns whose values may be long. */
  private readonly long: string[];
  /** Whether the queue's own rules bound the length of all of them. */
  private readonly isBounded: boolean;

  constructor(
    private readonly dataSource: DataSource,
    private readonly metadata: EntityMetadata,
    private readonly dialect: Dialect,
  ) {
    this.writable = metadata.columns.filter((column) => !column.isVirtual).map(castOf);
    this.selected = this.writable.filter((cast) => cast.metadata.isSelect);
    this.readPlain = rowReader(this.selected.filter(({ isPlain }) => isPlain));
    this.converted = this.selected.filter(({ isPlain }) => !isPlain);
    this.byProperty = new Map(this.writable.map((cast) => [cast.property, cast]));
    this.hasOwn = this.writable.some(({ property }) => !TASK_COLUMNS.includes(property));
    this.hostColumns = new Set(
      this.writable.filter(({ isPlain, isTime }) => !isPlain && !isTime).map(({ name }) => name),
    );
    const long = this.selected.filter(({ isLong }) => isLong);
    this.long = long.map(({ name }) => name);
    this.isBounded = long.every(({ property }) => TASK_COLUMNS.includes(property));
    this.longList = this.select(long);
    this.size = sizeOf(dialect, this.long);
  }

  /**
   * The SELECT list for at most this many tasks. If their texts may be too many bytes together, texts longer than their
   * share are null and `softdd_bytes` holds the size: LongTexts completes such rows.
   */
  listOf(rows: number): Sql {
    return this.listsOf(rows).list;
  }

  /** The same list with the database's time. */
  timedListOf(rows: number): Sql {
    return this.listsOf(rows).timed;
  }

  /** Built once per power of two, because building one takes longer than sending it. */
  private listsOf(rows: number): Lists {
    const share = (count: number): number => Math.floor(READ_BYTES / count / this.long.length);
    const isWhole = rows <= 1 || (this.isBounded && share(rows) >= BOUNDS.textBytes);
    const power = isWhole ? 0 : Math.ceil(Math.log2(rows));
    let lists = this.lists.get(power);
    if (!lists) {
      const list = isWhole ? this.select(this.selected) : this.shortened(share(2 ** power));
      lists = { list, timed: sql`${list}, ${this.dialect.clock} AS softdd_now` };
      this.lists.set(power, lists);
    }
    return lists;
  }

  private shortened(bytes: number): Sql {
    const { dialect, long } = this;
    const most = literal(bytes);
    const isLong = join(
      long.map((name) => sql`${dialect.bytes(name)} > ${most}`),
      ' OR ',
    );
    const shortened = (name: string): Sql =>
      sql`CASE WHEN ${dialect.bytes(name)} <= ${most} THEN ${dialect.read(name)} END`;
    const columns = this.select(this.selected, (name) => (long.includes(name) ? shortened(name) : dialect.read(name)));
    return sql`${columns}, CASE WHEN ${isLong} THEN ${this.size} ELSE 0 END AS softdd_bytes`;
  }

  private select(casts: Cast[], read = (name: string): Sql => this.dialect.read(name)): Sql {
    return join(casts.map(({ name }) => sql`${read(name)} AS ${this.dialect.id(name)}`));
  }

  /** An entity instance with the values of a row. */
  toTask(row: Row): T {
    const task = this.metadata.create() as T;
    this.readPlain(task, row);
    for (const cast of this.converted) {
      const value = row[cast.name];
      if (cast.isTime && value !== null) set(task, cast, readTime(value as string | number));
      else set(task, cast, fromDatabase(this.dataSource, value, cast.metadata));
    }
    return task;
  }

  /** The rows of a timed list. */
  toReading(rows: Row[]): Reading {
    return { rows, now: new Date(rows[0]?.softdd_now as string | number) };
  }

  /**
   * The task, times included, that an INSERT of these values at this time creates. Only for entities without own
   * columns.
   */
  toNewTask(values: TaskValues, now: Date): T {
    const task = this.metadata.create() as T;
    for (const cast of this.selected) set(task, cast, at(values[cast.property] ?? cast.initial, now));
    return task;
  }

  /** The task after an UPDATE at this time. Values relative to now become times. */
  become(task: T, values: TaskValues, now: Date): T {
    for (const property of Object.keys(values))
      if (values[property] !== undefined) set(task, this.byProperty.get(property)!, at(values[property], now));
    set(task, this.byProperty.get('updatedAt')!, this.stamps(now).updatedAt);
    return task;
  }

  /** The times of creation and of change, as exact as the table keeps them. */
  stamps(now: Date): { createdAt: Date; updatedAt: Date } {
    const { created_at: created, updated_at: updated } = this.dialect.times;
    return { createdAt: cutTime(now, created), updatedAt: cutTime(now, updated) };
  }

  /** The row to write for the given properties. undefined leaves a column unchanged. */
  toRow(id: string, values: TaskValues, now?: Date): RowToWrite {
    const { writable } = this;
    const cells: Cell[] = [];
    let shape = this.noColumn;
    for (let place = 0; place < writable.length; place++) {
      const cast = writable[place]!;
      const value = cast.isEmbedded ? cast.metadata.getEntityValue(values) : values[cast.property];
      if (value === undefined) continue;
      const cell = this.toCell(at(value, now), cast);
      cells.push(cell);
      shape = shape.and(place, cast.name, cell === null);
    }
    return { id, shape, cells };
  }

  /** The same row with a cell of a column that is not the entity's. All callers give the same column. */
  withOther({ id, shape, cells }: RowToWrite, column: string, cell: Cell): RowToWrite {
    return { id, shape: shape.and(this.writable.length, column, cell === null), cells: [...cells, cell] };
  }

  /** `column = value, …` for an UPDATE that gives many rows the same values. */
  toAssignments(values: TaskValues): Sql[] {
    const { dialect } = this;
    const { shape, cells } = this.toRow('', values);
    return cells.map((cell, place) => {
      const said = cell instanceof FromNow ? dialect.after(cell.seconds) : sql`${cell}`;
      return sql`${dialect.id(shape.columns[place]!)} = ${said}`;
    });
  }

  private toCell(value: unknown, { isPlain, metadata }: Cast): Cell {
    return isPlain ? value : toDatabase(this.dataSource, value, metadata);
  }
}

const castOf = (metadata: ColumnMetadata): Cast => ({
  metadata,
  name: metadata.databaseName,
  property: metadata.propertyName,
  isTime: isTimeColumn(metadata.databaseName),
  isPlain: metadata.transformer === undefined && TASK_COLUMNS.includes(metadata.propertyName),
  isEmbedded: metadata.embeddedMetadata !== undefined,
  isLong: isLong(metadata),
  initial: (metadata.default as unknown) ?? null,
});

function isLong({ type, length, isArray }: ColumnMetadata): boolean {
  if (length) return Number(length) > SHORT_LENGTH;
  return isArray || !SHORT_TYPE.test(typeof type === 'function' ? type.name : type);
}

function set(task: Task, { metadata, property, isEmbedded }: Cast, value: unknown): void {
  if (isEmbedded) metadata.setEntityValue(task, value);
  else (task as unknown as TaskValues)[property] = value;
}

const at = (value: unknown, now: Date | undefined): unknown => {
  if (!now || !(value instanceof FromNow)) return value;
  return value.seconds === 0 ? now : new Date(now.getTime() + value.seconds * 1000);
};
