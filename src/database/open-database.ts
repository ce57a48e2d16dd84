import type { DataSource } from 'typeorm';
import type { Database } from './database.js';
import { engineOf } from './engine.js';
import { PooledDatabase } from './pooled.database.js';
import { SqliteDatabase } from './sqlite.database.js';

/** The host's parsers read the values of `hostColumns`. All other values are read as the queue expects them. */
export async function openDatabase(dataSource: DataSource, hostColumns: ReadonlySet<string>): Promise<Database> {
  return engineOf(dataSource) === 'sqlite'
    ? new SqliteDatabase(dataSource)
    : PooledDatabase.open(dataSource, hostColumns);
}
