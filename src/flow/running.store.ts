import sql, { type Sql } from 'sql-template-tag';
import { type Dialect, list } from '../database/dialects/dialect.js';
import type { QueryResult, Script } from '../database/transaction.js';
import type { Counts } from './owner-turns.js';

/** Services whose running tasks are counted: in all, by owner, by group. By owner counts them in all, too. */
export interface Asked {
  total: readonly string[];
  owners: readonly string[];
  groups: readonly string[];
}

/** How many marked tasks of each service run. */
export interface Running {
  total: Map<string, number>;
  owners: Map<string, Counts>;
  groups: Map<string, Counts>;
}

/** Counts the running tasks that their claims have marked. Takes no locks. */
export class RunningStore {
  constructor(private readonly dialect: Dialect) {}

  *of(asked: Asked): Script<Running> {
    const statements = this.statements(asked);
    return this.read(asked, statements.length === 0 ? [] : yield statements);
  }

  /** At most three, none for nothing. */
  statements({ total, owners, groups }: Asked): Sql[] {
    const { table, running } = this.dialect;
    const { rows, tasks, where } = running;
    const service = sql`${rows}.service`;
    const group = sql`${table}.${this.dialect.id('group')}`;
    return [
      ...(total.length === 0
        ? []
        : [
            sql`SELECT service, COUNT(*) AS running FROM ${rows}
              WHERE ${where} AND service IN (${list([...total])}) GROUP BY service`,
          ]),
      ...(owners.length === 0
        ? []
        : [
            sql`SELECT service, user_id AS name, COUNT(*) AS running FROM ${rows}
              WHERE ${where} AND service IN (${list([...owners])}) GROUP BY service, user_id`,
          ]),
      ...(groups.length === 0
        ? []
        : [
            sql`SELECT ${service} AS service, ${group} AS name, COUNT(*) AS running FROM ${tasks}
              WHERE ${where} AND ${service} IN (${list([...groups])}) GROUP BY ${service}, ${group}`,
          ]),
    ];
  }

  /** The results of these statements. */
  read({ total, owners, groups }: Asked, results: readonly QueryResult[]): Running {
    const left = [...results];
    const rowsOf = (services: readonly string[]) => (services.length === 0 ? [] : left.shift()!.rows);
    const totals = new Map(rowsOf(total).map((row) => [row.service as string, Number(row.running)]));
    const countsOf = (services: readonly string[]): Map<string, Counts> => {
      const counts = new Map(services.map((service): [string, Counts] => [service, new Map()]));
      for (const { service, name, running } of rowsOf(services))
        counts.get(service as string)!.set(name as string | null, Number(running));
      return counts;
    };
    const byOwner = countsOf(owners);
    for (const [service, counts] of byOwner)
      totals.set(
        service,
        [...counts.values()].reduce((sum, n) => sum + n, 0),
      );
    return { total: totals, owners: byOwner, groups: countsOf(groups) };
  }
}
