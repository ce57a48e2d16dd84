import sql, { raw, type Sql } from 'sql-template-tag';
import { literal, type ReadySource, type TaskTable } from './dialect.js';
import type { Place } from './low-water.js';
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
      rows: this.table,
      where: sql`status = ${literal(status.BEGIN)}`,
      taskId: sql`id`,
      tasks: this.table,
      column: (name) => this.id(name),
      order: this.order(),
      from: (place) => this.from(place),
    };
  }

  protected abstract order(): Sql;
  protected abstract from(place: Place): Sql | undefined;

  id(name: string): Sql {
    return raw(`"${name.replaceAll('"', '""')}"`);
  }

  abstract idIn(ids: string[]): Sql;

  ownedFrom(userId: string): Sql {
    return sql`user_id = ${userId}`;
  }

  insertNew(table: Sql, columnsAndValues: Sql): Sql {
    return sql`INSERT INTO ${table} ${columnsAndValues} ON CONFLICT DO NOTHING`;
  }

  onDuplicate(assignments: Sql): Sql {
    return sql`ON CONFLICT (id) DO UPDATE SET ${assignments}`;
  }

  /** The ready row is the task. */
  *removeOrphans(): Script<number> {
    return 0;
  }
}
