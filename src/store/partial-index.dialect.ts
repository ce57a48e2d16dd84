import sql, { raw, type Sql } from 'sql-template-tag';
import { type ConfirmedRows, literal, type ReadyRow, type ReadySource, type TaskTable } from './dialect.js';
import type { Script } from './transaction.js';

/** What engines with partial indexes share: the ready row is the task's own row. */
export abstract class PartialIndexDialect {
  readonly table: Sql;
  readonly keys: Sql;
  readonly callbacks: Sql;
  readonly dueAt: Sql;
  readonly ready: ReadySource;

  constructor({ schema, table, status }: TaskTable) {
    const path = (name: string): Sql => (schema ? sql`${this.id(schema)}.${this.id(name)}` : this.id(name));
    this.table = path(table);
    this.keys = path(`${table}_keys`);
    this.callbacks = path(`${table}_callbacks`);
    // To the letter as the index has it.
    this.dueAt = sql`CASE WHEN status = ${literal(status.WAITING)} THEN run_at ELSE lease_expires_at END`;
    this.ready = {
      from: this.table,
      where: sql`status = ${literal(status.BEGIN)}`,
      taskId: sql`id`,
      order: this.order(),
      row: (task) => task,
    };
  }

  protected abstract order(): Sql;

  id(name: string): Sql {
    return raw(`"${name.replaceAll('"', '""')}"`);
  }

  insertNew(table: Sql, columnsAndValues: Sql): Sql {
    return sql`INSERT INTO ${table} ${columnsAndValues} ON CONFLICT DO NOTHING`;
  }

  onDuplicate(assignments: Sql): Sql {
    return sql`ON CONFLICT (id) DO UPDATE SET ${assignments}`;
  }

  /** Whoever locked the row has the task. */
  *confirm(rows: ReadyRow[]): Script<ConfirmedRows> {
    return { free: rows, held: 0 };
  }
}
