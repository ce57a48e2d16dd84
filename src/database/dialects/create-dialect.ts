import type { Dialect, Engine, TaskTable } from './dialect.js';
import { MysqlDialect } from './mysql.js';
import { PostgresDialect } from './postgres.js';
import { SqliteDialect } from './sqlite.js';

export function createDialect(engine: Engine, table: TaskTable): Dialect {
  if (engine === 'mysql') return new MysqlDialect(table);
  if (engine === 'postgres') return new PostgresDialect(table);
  return new SqliteDialect(table);
}
