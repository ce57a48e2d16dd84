import type { Engine } from './databases.js';

export type Counters = Record<string, number>;
type Rows = Record<string, unknown>[];

/** How an engine is asked what a session has done so far, and the counters of the answer by their names. */
export const SESSION_COUNTERS: Record<Engine, { sql: string; of: (rows: Rows) => Counters }> = {
  mysql: {
    sql: `SHOW SESSION STATUS LIKE 'Handler%'`,
    of: (rows) => Object.fromEntries(rows.map((row) => [String(row.Variable_name), Number(row.Value)])),
  },
  postgres: {
    sql: `SELECT relname, seq_scan, seq_tup_read, idx_scan, idx_tup_fetch, n_tup_ins, n_tup_upd, n_tup_del, n_tup_hot_upd
      FROM pg_stat_xact_user_tables`,
    of: (rows) =>
      Object.fromEntries(
        rows.flatMap(({ relname, ...counts }) =>
          Object.entries(counts).map(([name, value]) => [`${String(relname)}.${name}`, Number(value)]),
        ),
      ),
  },
  // No engine counts its rows less than SQLite: steps of its virtual machine, full scans and sorts beside.
  sqlite: {
    sql: `SELECT SUM(nstep) + 1000000 * SUM(nscan + nsort) AS steps FROM sqlite_stmt WHERE sql LIKE '%tasks%'`,
    of: ([row]) => ({ steps: Number(row!.steps) }),
  },
};

/** The rows that were read, by the counters of any engine. */
export const rowsRead = (counters: Counters): number =>
  Object.entries(counters)
    .filter(([name]) => /^(Handler_read_.*|.*\.(seq_tup_read|idx_tup_fetch)|steps)$/.test(name))
    .reduce((sum, [, value]) => sum + value, 0);
