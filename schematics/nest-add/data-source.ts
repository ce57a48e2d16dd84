import type { Tree } from '@angular-devkit/schematics';
import { sourceFiles } from './source-files.js';

export type DatabaseName = 'mysql' | 'postgres' | 'sqlite';

/** What an app gets that has no data source. */
export interface NewDataSource {
  /** Properties of the argument of TypeOrmModule.forRoot(). */
  options: string[];
  /** DATABASE_URL, to be edited. */
  url: string;
  driver: string;
}

const server = (type: string, driver: string, port: number, ...more: string[]): NewDataSource => ({
  options: [`type: '${type}'`, 'url: process.env.DATABASE_URL', ...more, 'autoLoadEntities: true'],
  url: `${type}://user:password@127.0.0.1:${port}/app`,
  driver,
});

export const DATABASES: Record<DatabaseName, NewDataSource> = {
  mysql: server('mysql', 'mysql2', 3306, "timezone: 'Z'"),
  postgres: server('postgres', 'pg', 5432),
  sqlite: {
    options: ["type: 'better-sqlite3'", 'database: process.env.DATABASE_URL!', 'autoLoadEntities: true'],
    url: 'app.sqlite',
    driver: 'better-sqlite3',
  },
};

/** Packages of drivers, by TypeORM's type of data source. */
const DRIVER_OF: Record<string, string> = {
  mysql: 'mysql2',
  mariadb: 'mysql2',
  postgres: 'pg',
  'better-sqlite3': 'better-sqlite3',
};

export const DRIVERS: readonly string[] = [...new Set(Object.values(DRIVER_OF))];

const DATA_SOURCE = /\bTypeOrmModule\s*\.\s*forRoot(Async)?\s*\(|\bnew\s+DataSource\s*\(/;
const NAMES_DATA_SOURCE = /\b(TypeOrmModule|DataSource)/;
const TYPE = /\btype\s*:\s*(['"`])(mysql|mariadb|postgres|better-sqlite3)\1/;

/** Whether the app has a TypeORM data source. */
export function hasDataSource(tree: Tree, sourceRoot: string): boolean {
  return sourceFiles(tree, sourceRoot).some(({ text }) => DATA_SOURCE.test(text));
}

/** Package of the driver that the app's data source needs, where its type stands in the code. */
export function findDriver(tree: Tree, sourceRoot: string): string | undefined {
  for (const { text } of sourceFiles(tree, sourceRoot)) {
    const type = NAMES_DATA_SOURCE.test(text) ? TYPE.exec(text)?.[2] : undefined;
    if (type) return DRIVER_OF[type];
  }
  const names = dependenciesIn(tree);
  return DRIVERS.find((name) => names.includes(name));
}

/** Names of all packages that package.json asks for. */
function dependenciesIn(tree: Tree): string[] {
  const { dependencies, devDependencies } = tree.readJson('package.json') as Record<string, object | undefined>;
  return Object.keys({ ...dependencies, ...devDependencies });
}
