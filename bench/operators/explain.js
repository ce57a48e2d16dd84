import Sqlite from 'libsql';
import { DataSource } from 'typeorm';
import { bound } from '../../dist/src/database/steady-clock.js';
import { dataSourceOptions } from '../contenders/softdd.js';

/** Tables with fewer rows may be read as a whole. */
const SMALL = 1000;

/**
 * What the engine says of each read: `rows` that it reads, where the engine tells, and `scans`, the large tables that
 * it reads end to end.
 */
export async function explain(url, statements) {
  const dataSource = await new DataSource(dataSourceOptions(url)).initialize();
  const runner = dataSource.createQueryRunner();
  try {
    const explainOne = EXPLAIN[url.startsWith('sqlite') ? 'sqlite' : dataSource.options.type];
    const sizes = {};
    for (const name of ['', '_ready', '_metrics', '_callbacks', '_attempts', '_services', '_bulks'])
      await runner
        .query(`SELECT COUNT(*) AS n FROM tasks${name}`)
        .then(([{ n }]) => (sizes[`tasks${name}`] = Number(n)))
        .catch(() => undefined);
    const isLarge = (table) => (sizes[table] ?? 0) > SMALL;
    const found = [];
    for (const noted of statements) found.push({ ...noted, ...(await explainOne(runner, noted.statement, isLarge)) });
    return found;
  } finally {
    await runner.release();
    await dataSource.destroy();
  }
}

const plain = (value) => (typeof value === 'boolean' ? Number(value) : value);

const EXPLAIN = {
  async sqlite(runner, { sql, values }, isLarge) {
    const { database } = runner.connection.options;
    // TypeORM asks the driver for the columns of the plan, and it has none.
    const plan = new Sqlite(database).prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...bound(values).map(plain));
    // An index is walked as far as the LIMIT: without an index, or without a LIMIT, the whole table is read.
    const scans = plan
      .map(({ detail }) => /^SCAN (\w+)(.*)$/.exec(detail))
      .filter((match) => match && isLarge(match[1]) && !(match[2].includes('INDEX') && /\bLIMIT\b/.test(sql)))
      .map(([line]) => line);
    return { scans };
  },

  /** Runs the statement, and reads the session's counters. */
  async mysql(runner, { sql, values }, isLarge) {
    const plan = await runner.query(`EXPLAIN FORMAT=TRADITIONAL ${sql}`, values);
    const whole = plan.filter(({ type, table }) => type === 'ALL' && isLarge(table)).map(({ table }) => `ALL ${table}`);
    const read = async () => {
      const rows = await runner.query("SHOW SESSION STATUS LIKE 'Handler_read%'");
      return new Map(rows.map(({ Variable_name: name, Value: value }) => [name, Number(value)]));
    };
    const before = await read();
    await runner.query(sql, values);
    const after = await read();
    // The status itself is read from a table in memory, which counts.
    const again = await read();
    const of = (name) => after.get(name) - before.get(name) - (again.get(name) - after.get(name));
    const counters = ['key', 'first', 'last', 'next', 'prev', 'rnd', 'rnd_next'].map((name) => `Handler_read_${name}`);
    return { scans: whole, rows: counters.reduce((sum, name) => sum + Math.max(0, of(name)), 0) };
  },

  async postgres(runner, { text, values }, isLarge) {
    const [row] = await runner.query(`EXPLAIN (ANALYZE, FORMAT JSON) ${text}`, values);
    const scans = [];
    let rows = 0;
    const walk = (node) => {
      const name = node['Relation Name'];
      if (node['Node Type'] === 'Seq Scan' && isLarge(name)) scans.push(`Seq Scan ${name}`);
      const dropped = (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0);
      if (name) rows += (node['Actual Rows'] + dropped) * node['Actual Loops'];
      for (const child of node.Plans ?? []) walk(child);
    };
    walk(row['QUERY PLAN'][0].Plan);
    return { scans, rows: Math.round(rows) };
  },
};
EXPLAIN.mariadb = EXPLAIN.mysql;
