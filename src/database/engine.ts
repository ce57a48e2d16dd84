import type { DataSource } from 'typeorm';
import type { Engine } from './dialects/dialect.js';

/** The engine of a data source. undefined if we do not support it. */
export function engineOf(dataSource: DataSource): Engine | undefined {
  const { type } = dataSource.options;
  if (type === 'mysql' || type === 'mariadb') return 'mysql';
  if (type === 'postgres') return 'postgres';
  if (type === 'better-sqlite3') return 'sqlite';
  return undefined;
}

/** PostgreSQL: the schema in which the data source keeps its tables, if it names one. */
export const schemaOf = (dataSource: DataSource): string | undefined =>
  (dataSource.options as { schema?: string }).schema;
