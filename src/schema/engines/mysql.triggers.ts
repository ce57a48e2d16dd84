import type { QueryRunner } from 'typeorm';
import { dueAt } from '../../database/dialects/due-at.js';
import { readyCreatedAt } from '../../database/dialects/ready-key.js';
import { isRunning } from '../../database/dialects/running.js';
import { STARTS } from '../../database/mysql.connection.js';
import { IN_PIECE, type SchemaStep, type TaskSchemaOptions } from '../schema.js';
import { quoteText, readTriggers, seesTriggers, squeeze, tableComment, triggerDefiner } from './mysql.inspect.js';

/**
 * What triggers maintain, because MySQL has no partial indexes: the rows of the ready and of the running table, and the
 * column `due_at`.
 * The comment of the ready table says that its rows are complete.
 */
export class MysqlTriggers {
  private readonly filled: string;
  private readonly ready: string;
  private readonly running: string;

  constructor(
    private readonly runner: QueryRunner,
    private readonly options: TaskSchemaOptions,
    { ready, running }: { ready: string; running: string },
  ) {
    this.ready = ready;
    this.running = running;
    this.filled = `rows of ${options.table} with status ${options.status.BEGIN}, kept by triggers`;
  }

  removal(): SchemaStep[] {
    return Object.keys(this.triggers(false)).map(drop);
  }

  async missing({ zoned, isNew }: { zoned: boolean; isNew: boolean }): Promise<SchemaStep[]> {
    const isFilled = (await tableComment(this.runner, this.ready)) === this.filled;
    const steps = await this.triggerSteps(zoned, isFilled);
    if (steps.length === 0 && isFilled) return [];
    // Writes between two triggers are missed. If an interruption follows, the next run fills the table again.
    if (steps.length > 0 && isFilled) steps.unshift(this.mark(''));
    return [...steps, ...this.filling(zoned, isNew)];
  }

  private async triggerSteps(zoned: boolean, isFilled: boolean): Promise<SchemaStep[]> {
    const { table } = this.options;
    const present = await readTriggers(this.runner, table);
    // The mark was set after all triggers. Triggers that this account cannot see are not checked, and not replaced.
    if (isFilled && !(await seesTriggers(this.runner, table, present))) return [];
    const other = Object.entries(this.triggers(zoned)).filter(
      ([name, { body }]) => present.get(name) !== squeeze(body),
    );
    if (other.length === 0) return [];
    // MySQL shows triggers only to accounts that may create them.
    const hidden = present.size === 0 ? ', or hidden from this user, which needs the TRIGGER privilege to see it' : '';
    const definer = await triggerDefiner(this.runner, table);
    return other.flatMap(([name, { event, body }]): SchemaStep[] => {
      const isThere = present.has(name);
      const what = `trigger ${name} is ${isThere ? 'different from what the options require' : `missing${hidden}`}`;
      const sql = `CREATE ${definer}TRIGGER \`${name}\` ${event} ON \`${table}\` FOR EACH ROW ${body}`;
      return [...(isThere ? [drop(name)] : []), { what, sql }];
    });
  }

  /** The mark comes last: after an interruption before it, the next run fills again. */
  private filling(zoned: boolean, isNew: boolean): SchemaStep[] {
    const { table, status } = this.options;
    const due = dueAt('mysql', status);
    const pieces = { ...(isNew ? {} : { effect: 'reads all rows, writes go on' }), piecesOf: table };
    return [
      {
        what: `${this.ready} has other rows than those with status ${status.BEGIN}`,
        sql: `DELETE r FROM \`${this.ready}\` r LEFT JOIN \`${table}\` t ON t.id = r.task_id
          AND t.status = ${status.BEGIN} AND t.service = r.service AND t.priority = r.priority
          AND ${readyCreatedAt(zoned, 't.')} = r.created_at WHERE t.id IS NULL`,
      },
      {
        what: `${this.ready} is not filled`,
        ...pieces,
        sql: `INSERT INTO \`${this.ready}\` (service, priority, created_at, task_id, \`group\`, user_id)
          SELECT service, priority, ${readyCreatedAt(zoned)}, id, \`group\`, user_id FROM \`${table}\` WHERE status = ${status.BEGIN} ${IN_PIECE}
          ON DUPLICATE KEY UPDATE user_id = \`${table}\`.user_id`,
      },
      {
        what: `${this.running} has other rows than those that run`,
        sql: `DELETE r FROM \`${this.running}\` r LEFT JOIN \`${table}\` t ON t.id = r.task_id
          AND t.service = r.service AND t.user_id = r.user_id AND ${isRunning(status, 't.')} WHERE t.id IS NULL`,
      },
      {
        what: `${this.running} is not filled`,
        ...pieces,
        sql: `INSERT IGNORE INTO \`${this.running}\` (service, user_id, task_id)
          SELECT service, user_id, id FROM \`${table}\` WHERE ${isRunning(status)} ${IN_PIECE}`,
      },
      {
        what: `due_at of ${table} is not filled`,
        ...pieces,
        sql: `UPDATE \`${table}\` SET due_at = ${due} WHERE NOT due_at <=> ${due} ${IN_PIECE}`,
      },
      this.mark(this.filled),
    ];
  }

  private mark(text: string): SchemaStep {
    return {
      what: `${this.ready} is not filled`,
      sql: `ALTER TABLE \`${this.ready}\` COMMENT = ${quoteText(text)}`,
    };
  }

  /** Any writer of a row fires them: the row is in the ready table exactly while it is claimable. */
  private triggers(zoned: boolean): Record<string, { event: string; body: string }> {
    const created = (row: string): string => readyCreatedAt(zoned, row);
    const ready = `\`${this.ready}\``;
    const { BEGIN: begin, START: start } = this.options.status;
    // A duplicate is an orphan: TRUNCATE fires no trigger, and then the same rows were loaded again.
    const add = `INSERT INTO ${ready} (service, priority, created_at, task_id, \`group\`, user_id)
    VALUES (NEW.service, NEW.priority, ${created('NEW.')}, NEW.id, NEW.\`group\`, NEW.user_id)
    ON DUPLICATE KEY UPDATE \`group\` = NEW.\`group\`, user_id = NEW.user_id`;
    const remove = `DELETE FROM ${ready} WHERE service = OLD.service AND priority = OLD.priority
    AND created_at = ${created('OLD.')} AND task_id = OLD.id`;
    const areRemoved = `${STARTS} <=> ${quoteText(this.ready)}`;
    const same = `OLD.id = NEW.id AND OLD.service = NEW.service AND OLD.\`group\` <=> NEW.\`group\`
    AND OLD.user_id = NEW.user_id
    AND OLD.priority = NEW.priority AND OLD.created_at <=> NEW.created_at`;
    const running = `\`${this.running}\``;
    const runs = (row: string): string => isRunning(this.options.status, row);
    // INSERT IGNORE would hide a value that does not fit.
    const begins = `INSERT INTO ${running} (service, user_id, task_id) VALUES (NEW.service, NEW.user_id, NEW.id)
    ON DUPLICATE KEY UPDATE task_id = NEW.id`;
    const ends = `DELETE FROM ${running} WHERE service = OLD.service AND user_id = OLD.user_id AND task_id = OLD.id`;
    const due = `SET NEW.due_at = ${dueAt('mysql', this.options.status, 'NEW.')}`;
    return {
      [`${this.options.table}_due_insert`]: { event: 'BEFORE INSERT', body: due },
      [`${this.options.table}_due_update`]: { event: 'BEFORE UPDATE', body: due },
      [`${this.ready}_insert`]: {
        event: 'AFTER INSERT',
        body: `BEGIN
  IF NEW.status = ${begin} THEN ${add}; END IF;
  IF ${runs('NEW.')} THEN ${begins}; END IF;
END`,
      },
      [`${this.ready}_update`]: {
        event: 'AFTER UPDATE',
        // Each condition takes a microsecond or more, so one tells first whether there is anything to do. A host's trigger
        // may have turned a start back: then the ready row, already removed, is added again.
        body: `BEGIN
  IF OLD.status = ${begin} OR NEW.status = ${begin} OR OLD.limited = 1 OR NEW.limited = 1 THEN
    IF NOT (OLD.status <=> NEW.status AND ${same}) OR ${areRemoved} THEN
      IF OLD.status = ${begin} AND NOT (${areRemoved} AND NEW.status = ${start}) THEN ${remove}; END IF;
      IF NEW.status = ${begin} THEN ${add}; END IF;
    END IF;
    IF (OLD.limited = 1 OR NEW.limited = 1) AND NOT (${unchanged('limited')} AND ${unchanged('status')}
    AND ${unchanged('service')} AND ${unchanged('user_id')} AND ${unchanged('id')}) THEN
      IF ${runs('OLD.')} THEN ${ends}; END IF;
      IF ${runs('NEW.')} THEN ${begins}; END IF;
    END IF;
  END IF;
END`,
      },
      [`${this.ready}_delete`]: {
        event: 'AFTER DELETE',
        body: `BEGIN
  IF OLD.status = ${begin} THEN ${remove}; END IF;
  IF ${runs('OLD.')} THEN ${ends}; END IF;
END`,
      },
    };
  }
}

const unchanged = (column: string): string => `OLD.${column} <=> NEW.${column}`;

const drop = (trigger: string): SchemaStep => ({
  what: `trigger ${trigger}`,
  sql: `DROP TRIGGER IF EXISTS \`${trigger}\``,
});
