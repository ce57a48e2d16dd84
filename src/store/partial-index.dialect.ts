import sql, { raw, type Sql } from 'sql-template-tag';
import { type ConfirmedRows, literal, type ReadyRow, type ReadySource, type TaskTable } from './dialect.js';
import type { Script } from './transaction.js';

/** What engines with partial indexes share: the ready row is the task's own row. */
export abstract class PartialIndexDialect {
  readonly table: Sql;
  readonly ready: ReadySource;

  constructor({ schema, table, status }: TaskTable) {
    this.table = schema ? sql`${this.id(schema)}.${this.id(table)}` : this.id(table);
    this.ready = {
      from: this.table,
      where: sql`status = ${literal(status.BEGIN)}`,
      taskId: sql`id`,
      row: sql`id`,
    };
  }

  id(name: string): Sql {
    return raw(`"${name.replaceAll('"', '""')}"`);
  }

  /** Whoever locked the row has the task. */
  *confirm(rows: ReadyRow[]): Script<ConfirmedRows> {
    return { free: rows.map((row) => row.id), held: 0 };
  }
}
