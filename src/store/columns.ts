import sql, { join, type Sql } from 'sql-template-tag';
import type { DataSource, EntityMetadata } from 'typeorm';
import type { ColumnMetadata } from 'typeorm/metadata/ColumnMetadata.js';
import type { Task } from '../contract/task.entity.js';
import { FromNow } from './clock.js';
import { type Dialect, isTimeColumn } from './dialect.js';
import type { Row } from './transaction.js';

/** Between rows and the registration's entity: the columns that TypeORM knows, a host's own included. */
export class TaskColumns<T extends Task> {
  private readonly selected: ColumnMetadata[];
  /** The SELECT list for a whole task. */
  readonly list: Sql;

  constructor(
    private readonly dataSource: DataSource,
    private readonly metadata: EntityMetadata,
    private readonly dialect: Dialect,
  ) {
    this.selected = metadata.columns.filter((column) => !column.isVirtual && column.isSelect);
    this.list = join(
      this.selected.map(({ databaseName }) => sql`${dialect.read(databaseName)} AS ${dialect.id(databaseName)}`),
    );
  }

  /** An instance of the entity with a row's values. */
  toTask(row: Row): T {
    const task = this.metadata.create() as T;
    for (const column of this.selected) {
      const value = row[column.databaseName];
      const time = typeof value === 'string' && isTimeColumn(column.databaseName);
      const hydrated: unknown = time ? new Date(value) : this.dataSource.driver.prepareHydratedValue(value, column);
      column.setEntityValue(task, hydrated);
    }
    return task;
  }

  /** The column of a property. */
  nameOf(property: string): string {
    return this.metadata.findColumnWithPropertyName(property)!.databaseName;
  }

  /** `column, value` pairs for those properties that are given (undefined leaves a column alone). */
  toRow(values: Record<string, unknown>): [column: Sql, value: unknown][] {
    return this.metadata.columns
      .filter((column) => !column.isVirtual && column.getEntityValue(values) !== undefined)
      .map((column) => [this.dialect.id(column.databaseName), this.toValue(column.getEntityValue(values), column)]);
  }

  /** `column = value, …` for an UPDATE. */
  toAssignments(values: Record<string, unknown>): Sql[] {
    return this.toRow(values).map(([column, value]) => sql`${column} = ${value}`);
  }

  /** Our times are UTC, whatever zone the host's driver would write them in. */
  private toValue(value: unknown, column: ColumnMetadata): unknown {
    if (value instanceof FromNow) return this.dialect.after(value.seconds);
    if (value instanceof Date && isTimeColumn(column.databaseName)) return this.dialect.time(value);
    return this.dataSource.driver.preparePersistentValue(value, column);
  }
}
