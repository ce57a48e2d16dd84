import sql, { empty, join, raw, type Sql } from 'sql-template-tag';
import {
  allSame,
  type CellValue,
  type ConfirmedRows,
  type Dialect,
  isTimeColumn,
  list,
  literal,
  LOCAL_TIME_COLUMNS,
  type ReadyRow,
  type ReadySource,
  type RowsUpdate,
  type TaskTable,
} from './dialect.js';
import { FromNow, utcText } from './clock.js';
import { isoOffset } from './offset.js';
import { change, type Script, select } from './transaction.js';

/** MySQL and MariaDB have no partial index: a narrow table kept by triggers stands for one. */
export class MysqlDialect implements Dialect {
  readonly engine = 'mysql';
  readonly insertRows = 200;
  readonly table: Sql;
  readonly keys: Sql;
  readonly now = sql`UTC_TIMESTAMP(3)`;
  /** A column of its own, kept by triggers. */
  readonly dueAt = sql`due_at`;
  readonly sortKey = sql`DATE_FORMAT(created_at, '%Y-%m-%d %H:%i:%s.%f')`;
  readonly ready: ReadySource;
  readonly claimOrder = sql`priority, created_at, task_id`;
  readonly listOrder: Sql;
  readonly forUpdate = sql`FOR UPDATE`;
  readonly skipLocked = sql`FOR UPDATE SKIP LOCKED`;

  constructor(private readonly options: TaskTable) {
    this.table = this.id(options.table);
    this.keys = this.id(`${options.table}_keys`);
    // The table's own column: an unqualified name is the formatted text of that name, which no index serves.
    this.listOrder = sql`${this.table}.created_at DESC, ${this.table}.id DESC`;
    this.ready = {
      from: this.id(`${options.table}_ready`),
      where: sql`1 = 1`,
      taskId: sql`task_id`,
      // Not AS created_at: ORDER BY takes an alias before a column, and would sort, and lock, every ready row.
      row: sql`task_id AS id, service, priority, DATE_FORMAT(created_at, '%Y-%m-%d %H:%i:%s.%f') AS created`,
    };
  }

  id(name: string): Sql {
    return raw(`\`${name.replaceAll('`', '``')}\``);
  }

  after(seconds: number): Sql {
    return sql`(UTC_TIMESTAMP(3) + INTERVAL ${seconds} SECOND)`;
  }

  localAfter(seconds: number): Sql {
    return this.after(this.options.offsetMinutes * 60 + seconds);
  }

  time(time: Date): Sql {
    return sql`CAST(${utcText(time)} AS DATETIME(3))`;
  }

  sortTime(text: string): Sql {
    return sql`CAST(${text} AS DATETIME(6))`;
  }

  insertNew(table: Sql, columnsAndValues: Sql): Sql {
    return sql`INSERT IGNORE INTO ${table} ${columnsAndValues}`;
  }

  onDuplicate(assignments: Sql): Sql {
    return sql`ON DUPLICATE KEY UPDATE ${assignments}`;
  }

  bytes(column: string): Sql {
    return sql`OCTET_LENGTH(${this.id(column)})`;
  }

  read(column: string): Sql {
    if (!isTimeColumn(column)) return this.id(column);
    const zone = LOCAL_TIME_COLUMNS.includes(column) ? isoOffset(this.options.offsetMinutes) : 'Z';
    return sql`DATE_FORMAT(${this.id(column)}, ${`%Y-%m-%dT%H:%i:%s.%f${zone}`})`;
  }

  /** MySQL's writes answer no rows. */
  returning(): Sql {
    return empty;
  }

  /** One statement, by CASE: of all the ways to write it the fastest, and the one whose plan is always the primary key. */
  updateEach({ columns, rows }: RowsUpdate): Sql[] {
    const valueOf = (value: CellValue): Sql => (value instanceof FromNow ? this.after(value.seconds) : sql`${value}`);
    const assignments = columns.map((column, index) => {
      const cells = rows.map(({ values }) => values[index]!);
      if (allSame(cells)) return sql`${this.id(column)} = ${valueOf(cells[0]!)}`;
      const cases = rows.map(({ id }, row) => sql`WHEN ${id} THEN ${valueOf(cells[row]!)}`);
      return sql`${this.id(column)} = CASE id ${join(cases, ' ')} END`;
    });
    return [
      sql`UPDATE ${this.table} SET ${join(assignments)}, updated_at = ${this.localAfter(0)}
        WHERE id IN (${list(rows.map((row) => row.id))})`,
    ];
  }

  /**
   * A claim locks the ready row first and the task after it; a user, the PHP side or an operator the other way round.
   * Waiting here would be a deadlock on their side, so a task that somebody holds is passed over. A ready row whose
   * task is gone or not ready (TRUNCATE and cascades fire no triggers) is removed.
   */
  *confirm(rows: ReadyRow[]): Script<ConfirmedRows> {
    const attempts = yield* this.begun(
      rows.map((row) => row.id),
      this.skipLocked,
    );
    const missing = rows.filter((row) => !attempts.has(row.id));
    const held =
      missing.length === 0
        ? attempts
        : yield* this.begun(
            missing.map((row) => row.id),
            empty,
          );
    const orphans = missing.filter((row) => !held.has(row.id));
    for (const orphan of orphans) yield* this.removeReady(orphan);
    const free = rows.filter((row) => attempts.has(row.id));
    return {
      free: free.map((row) => ({ ...row, attempts: attempts.get(row.id)! })),
      held: missing.length - orphans.length,
    };
  }

  /** Attempts of those that are ready. */
  private *begun(ids: string[], lock: Sql): Script<Map<string, number>> {
    const begin = literal(this.options.status.BEGIN);
    const rows = yield* select<{ id: string; attempts: number }>(
      sql`SELECT id, attempts FROM ${this.table} WHERE id IN (${list(ids)}) AND status = ${begin} ${lock}`,
    );
    return new Map(rows.map((row) => [row.id, Number(row.attempts)]));
  }

  private *removeReady(row: ReadyRow): Script<number> {
    return yield* change(
      sql`DELETE FROM ${this.ready.from} WHERE service = ${row.service} AND priority = ${row.priority}
        AND created_at = ${row.created} AND task_id = ${row.id}`,
    );
  }
}
