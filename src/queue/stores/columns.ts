import sql, { join, type Sql } from 'sql-template-tag';
import type { DataSource, EntityMetadata } from 'typeorm';
import type { Task } from '../../contract/task.entity.js';
import { TASK_COLUMNS } from '../../contract/task.fields.js';
import { BOUNDS } from '../../validation/rules.js';
import { FromNow } from '../../database/clock.js';
import { type Dialect, literal, sizeOf } from '../../database/dialects/dialect.js';
import { type Cell, type RowToWrite, Shape } from '../../database/rows.js';
import { cutTime } from '../../database/stored-time.js';
import { readTime } from '../../database/read-time.js';
import type { Row } from '../../database/transaction.js';
import { fromDatabase, toDatabase } from '../../database/typeorm-internals.js';
import { type Cast, castOf, setValue } from './cast.js';
import { type RowReader, rowReader } from './row-reader.js';
import { at, type RowWriter, rowWriter, type TaskFiller, taskFiller } from './row-writer.js';

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

/**
 * Converts between rows and the registration's entity. It knows every column that TypeORM knows, a host's own included.
 */
export class TaskColumns<T extends Task> {
  private readonly selected: Cast[];
  private readonly writable: Cast[];
  /** Adds the cells of what is stored as it is. */
  private readonly writePlain: RowWriter;
  /** Sets what is stored as it is. */
  private readonly readPlain: RowReader;
  /** Sets what an INSERT wrote. */
  private readonly fill: TaskFiller;
  /** The other selected columns, and the other writable ones. */
  private readonly converted: Cast[];
  private readonly toConvert: Cast[];
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
    const writable = metadata.columns.filter((column) => !column.isVirtual).map(castOf);
    const plain = writable.filter(({ isPlain }) => isPlain);
    this.toConvert = writable.filter(({ isPlain }) => !isPlain);
    this.writable = [...plain, ...this.toConvert];
    this.writePlain = rowWriter(plain);
    this.selected = this.writable.filter((cast) => cast.metadata.isSelect);
    this.readPlain = rowReader(this.selected.filter(({ isPlain }) => isPlain));
    this.fill = taskFiller(this.selected);
    this.converted = this.selected.filter(({ isPlain }) => !isPlain);
    this.byProperty = new Map(
      this.writable.filter(({ isEmbedded }) => !isEmbedded).map((cast) => [cast.property, cast]),
    );
    this.hasOwn = this.writable.some(({ property, isEmbedded }) => isEmbedded || !TASK_COLUMNS.includes(property));
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
      if (cast.isTime && value !== null) setValue(task, cast, readTime(value as string | number));
      else setValue(task, cast, fromDatabase(this.dataSource, value, cast.metadata));
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
    this.fill(task, values, now);
    return task;
  }

  /** The task after an UPDATE at this time. Values relative to now become times. */
  become(task: T, values: TaskValues, now: Date): T {
    for (const property of Object.keys(values))
      if (values[property] !== undefined) setValue(task, this.byProperty.get(property)!, at(values[property], now));
    setValue(task, this.byProperty.get('updatedAt')!, this.stamps(now).updatedAt);
    return task;
  }

  /** The times of creation and of change, as exact as the table keeps them. */
  stamps(now: Date): { createdAt: Date; updatedAt: Date } {
    const { created_at: created, updated_at: updated } = this.dialect.times;
    return { createdAt: cutTime(now, created), updatedAt: cutTime(now, updated) };
  }

  /** The row to write for the given properties. undefined leaves a column unchanged. */
  toRow(id: string, values: TaskValues, now?: Date): RowToWrite {
    const { toConvert, writable } = this;
    const cells: Cell[] = [];
    let shape = this.writePlain(values, now, cells, this.noColumn);
    for (const [index, { metadata, name, property, isEmbedded }] of toConvert.entries()) {
      const value = isEmbedded ? metadata.getEntityValue(values) : values[property];
      if (value === undefined) continue;
      const cell = toDatabase(this.dataSource, at(value, now), metadata);
      cells.push(cell);
      // The plain columns have the numbers before these.
      shape = shape.and(writable.length - toConvert.length + index, name, cell === null);
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
}
