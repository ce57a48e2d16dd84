import type { Rule, SchematicContext, TaskConfigurationGenerator, Tree } from '@angular-devkit/schematics';
import { addDataSource, addTaskModule, findAppModule, importsTaskModule } from './app-module.js';
import { DATABASES, type DatabaseName, findDriver, hasDataSource } from './data-source.js';
import { addKeys, ENV_FILE, isIgnored } from './env-file.js';
import { addPeers, nestMajor, writePeers } from './package-file.js';

export interface NestAddOptions {
  /** Folder of the app's code, as nest-cli.json names it. */
  sourceRoot?: string;
  /** Database of a new data source, for an app that has none. */
  database?: DatabaseName;
}

/**
 * `nest add @softdd/task`: the module's import, its keys in `.env`, and the packages that it needs beside it. A second
 * run finds everything there and changes nothing.
 *
 * The types are the only thing that this imports of the schematics' packages: the Nest CLI runs it with its own copies,
 * and hosts get no dependency from it.
 */
export function nestAdd({ sourceRoot = 'src', database }: NestAddOptions): Rule {
  return (tree: Tree, context: SchematicContext): void => {
    const major = nestMajor(tree);
    const appModule = findAppModule(tree, sourceRoot);
    const isNew = !hasDataSource(tree, sourceRoot);
    const dataSource = isNew && database ? DATABASES[database] : undefined;

    if (dataSource) addDataSource(tree, appModule, dataSource);
    if (!importsTaskModule(tree, sourceRoot)) addTaskModule(tree, appModule);
    addKeys(tree, dataSource);
    const driver = dataSource?.driver ?? findDriver(tree, sourceRoot);
    const added = addPeers(tree, major, driver);
    if (added.length > 0) {
      writePeers(tree, added);
      context.addTask(INSTALL);
    }

    for (const step of nextSteps(tree, isNew && !dataSource, driver)) context.logger.info(step);
  };
}

/** As NodePackageInstallTask of @angular-devkit/schematics. The CLI knows the host's package manager. */
const INSTALL: TaskConfigurationGenerator<object> = {
  toConfiguration: () => ({ name: 'node-package', options: { command: 'install', quiet: true } }),
};

function nextSteps(tree: Tree, needsDataSource: boolean, driver: string | undefined): string[] {
  const steps: string[] = [];
  if (needsDataSource)
    steps.push(
      'The app has no TypeORM data source yet. Import TypeOrmModule.forRoot({ …, autoLoadEntities: true }) beside ' +
        'TaskModule, or run `nest add @softdd/task --database=mysql` (or postgres, sqlite).',
    );
  if (!driver)
    steps.push('Install the driver of your database: mysql2 (MySQL, MariaDB), pg (PostgreSQL) or better-sqlite3.');
  steps.push(
    `Load ${ENV_FILE} before the app starts, by ConfigModule of @nestjs/config or \`node --env-file=${ENV_FILE}\`.`,
  );
  if (!isIgnored(tree)) steps.push(`${ENV_FILE} holds a secret: add it to .gitignore.`);
  steps.push('Give TaskModule.forRoot() your own guard, by option `guards`: it says which user a request speaks for.');
  return steps;
}
