import type { QueryRunner } from 'typeorm';
import { drop, hasIndex, quote, readTriggers, squeeze, tableComment } from './mysql.inspect.js';
import { dueAt, type SchemaStep, type TaskSchemaOptions } from './schema.js';

/**
 * What triggers keep beside the rows, since MySQL has no partial indexes: the narrow table of claimable rows, and the
 * column that says when the sweeper must look at a row.
 */
export class MysqlReadySchema {
  private readonly ready: string;
  private readonly filled: string;

  constructor(private readonly options: TaskSchemaOptions) {
    this.ready = `${options.table}_ready`;
    this.filled = `rows of ${options.table} with status ${options.status.BEGIN}, kept by triggers`;
  }

  removal(): SchemaStep[] {
    return [...Object.keys(this.triggers()).map((name) => drop('TRIGGER', name)), drop('TABLE', this.ready)];
  }

  async missing(runner: QueryRunner, collation: string): Promise<SchemaStep[]> {
    const { table, status } = this.options;
    const steps: SchemaStep[] = [];
    const comment = await tableComment(runner, this.ready);
    const binary = `CHARACTER SET utf8mb4 COLLATE ${collation}`;
    if (comment === undefined)
      steps.push({
        what: `table ${this.ready} is missing`,
        sql: `CREATE TABLE \`${this.ready}\` (
  service varchar(64) ${binary} NOT NULL,
  priority smallint NOT NULL,
  created_at datetime(3) NOT NULL,
  task_id char(36) ${binary} NOT NULL,
  \`group\` varchar(64) ${binary} NULL,
  PRIMARY KEY (service, priority, created_at, task_id),
  ${this.groupIndex()}
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`,
      });
    else if (!(await hasIndex(runner, this.ready, `${this.ready}_group`)))
      steps.push({
        what: `index ${this.ready}_group is missing`,
        sql: `ALTER TABLE \`${this.ready}\` ADD ${this.groupIndex()}`,
      });
    const present = await readTriggers(runner, table);
    const triggers = Object.entries(this.triggers()).filter(([name, { body }]) => present.get(name) !== squeeze(body));
    // Writes between two triggers are missed: whatever interrupts us from here on, the next run fills again.
    if (triggers.length > 0 && comment === this.filled)
      steps.push({ what: `${this.ready} is not filled`, sql: `ALTER TABLE \`${this.ready}\` COMMENT = ''` });
    // MySQL shows triggers only to those who may make them.
    const hidden = present.size === 0 ? ', or hidden from this user, who needs the TRIGGER privilege to see it' : '';
    for (const [name, { event, body }] of triggers) {
      const found = present.get(name);
      if (found !== undefined) steps.push(drop('TRIGGER', name));
      steps.push({
        what: `trigger ${name} is ${found === undefined ? `missing${hidden}` : 'other than the options ask for'}`,
        sql: `CREATE TRIGGER \`${name}\` ${event} ON \`${table}\` FOR EACH ROW ${body}`,
      });
    }
    if (steps.length === 0 && comment === this.filled) return [];
    // Last, and marked by the comment: interrupted before it, the next run fills again.
    return [
      ...steps,
      {
        what: `${this.ready} holds other rows than those with status ${status.BEGIN}`,
        sql: `DELETE r FROM \`${this.ready}\` r LEFT JOIN \`${table}\` t ON t.id = r.task_id
          WHERE t.id IS NULL OR NOT t.status <=> ${status.BEGIN}`,
      },
      {
        what: `${this.ready} is not filled`,
        sql: `INSERT IGNORE INTO \`${this.ready}\` (service, priority, created_at, task_id, \`group\`)
          SELECT service, priority, ${created('')}, id, \`group\` FROM \`${table}\` WHERE status = ${status.BEGIN}`,
      },
      {
        what: `due_at of ${table} is not filled`,
        sql: `UPDATE \`${table}\` SET due_at = ${dueAt(this.options)} WHERE NOT due_at <=> ${dueAt(this.options)}`,
      },
      { what: `${this.ready} is not filled`, sql: `ALTER TABLE \`${this.ready}\` COMMENT = ${quote(this.filled)}` },
    ];
  }

  private groupIndex(): string {
    return `KEY \`${this.ready}_group\` (service, \`group\`, priority, created_at, task_id)`;
  }

  /** Whoever writes a row: it is in the ready table exactly while it is claimable. */
  private triggers(): Record<string, { event: string; body: string }> {
    const ready = `\`${this.ready}\``;
    const begin = this.options.status.BEGIN;
    // A duplicate is an orphan: TRUNCATE fires no trigger, and then the same rows were loaded again.
    const add = `INSERT INTO ${ready} (service, priority, created_at, task_id, \`group\`)
    VALUES (NEW.service, NEW.priority, ${created('NEW.')}, NEW.id, NEW.\`group\`)
    ON DUPLICATE KEY UPDATE \`group\` = NEW.\`group\``;
    const remove = `DELETE FROM ${ready} WHERE service = OLD.service AND priority = OLD.priority
    AND created_at = ${created('OLD.')} AND task_id = OLD.id`;
    const same = `OLD.id = NEW.id AND OLD.service = NEW.service AND OLD.\`group\` <=> NEW.\`group\`
    AND OLD.priority = NEW.priority AND OLD.created_at <=> NEW.created_at`;
    const due = `SET NEW.due_at = ${dueAt(this.options, 'NEW.')}`;
    return {
      [`${this.options.table}_due_insert`]: { event: 'BEFORE INSERT', body: due },
      [`${this.options.table}_due_update`]: { event: 'BEFORE UPDATE', body: due },
      [`${this.ready}_insert`]: { event: 'AFTER INSERT', body: `IF NEW.status = ${begin} THEN ${add}; END IF` },
      [`${this.ready}_update`]: {
        event: 'AFTER UPDATE',
        body: `IF NOT (OLD.status <=> NEW.status AND ${same}) THEN
  IF OLD.status = ${begin} THEN ${remove}; END IF;
  IF NEW.status = ${begin} THEN ${add}; END IF;
END IF`,
      },
      [`${this.ready}_delete`]: { event: 'AFTER DELETE', body: `IF OLD.status = ${begin} THEN ${remove}; END IF` },
    };
  }
}

/** A row without a creation time counts as oldest; the key must be the same when the row is removed. */
const created = (row: string): string => `COALESCE(${row}created_at, TIMESTAMP'1970-01-01 00:00:00')`;
