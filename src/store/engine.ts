import type { DataSource } from 'typeorm';
import type { Engine } from './dialect.js';

/** The engine behind a data source, or undefined where it is none that we know. */
export function engineOf(dataSource: DataSource): Engine | undefined {
  const { type } = dataSource.options;
  if (type === 'mysql' || type === 'mariadb') return 'mysql';
  if (type === 'postgres') return 'postgres';
  if (type === 'better-sqlite3') return 'sqlite';
  return undefined;
}

/** PostgreSQL: the schema that the data source keeps its tables in, where it names one. */
export const schemaOf = (dataSource: DataSource): string | undefined =>
  (dataSource.options as { schema?: string }).schema;
