import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { taskMigrations } from '../../../src/index.js';
import { needBuild } from '../../support/build.js';
import { createDatabase, ENGINES } from '../../support/databases.js';
import { describeInWhole } from '../../support/host.js';
import { dumpSchema } from './fixtures/dump.js';
import { createOriginal, ROWS, snapshot } from './fixtures/original.js';
import { connect, problemsOf, withQueue } from './fixtures/queue.js';

const NAMES = [
  'SoftddTask_tasks_Initial1763900000000',
  'SoftddTask_tasks_Leaseless1764115200000',
  'SoftddTask_tasks_Operators1795651200000',
];
const ROOT = resolve(import.meta.dirname, '../../..');

/** MySQL commits at every DDL statement, whatever the mode; the others can undo. */
const MODES = ENGINES.flatMap((engine) =>
  (['all', 'each', 'none'] as const).flatMap((mode) => [
    { engine, mode, adopted: false },
    { engine, mode, adopted: true },
  ]),
);

describe.each(MODES)("in a host's own data source on $engine, transaction mode $mode, adopting: $adopted", (where) => {
  it('runs, leaves nothing to do for the module, and goes back', async () => {
    const { engine, mode, adopted } = where;
    const database = await createDatabase(engine);
    const dataSource = await connect(database, { migrations: taskMigrations(), migrationsTransactionMode: mode });
    try {
      if (adopted) await createOriginal(dataSource, engine);
      expect((await dataSource.runMigrations()).map((migration) => migration.name)).toEqual(NAMES);
      expect(await dataSource.runMigrations()).toEqual([]);
      await withQueue(dataSource, { migrate: false }, async ({ migrated }) => expect(migrated).toEqual([]));
      await withQueue(dataSource, {}, async ({ migrated }) => expect(migrated).toEqual([]));
      for (let left = NAMES.length; left > 0; left--) await dataSource.undoLastMigration({ transaction: mode });
      const { columns } = await dumpSchema(dataSource, engine, 'tasks');
      expect(columns).toHaveLength(adopted ? 11 : 0);
      if (adopted) expect(await snapshot(dataSource, engine)).toEqual(ROWS);
    } finally {
      await dataSource.destroy();
      await database.drop();
    }
  });
});

// A process for each command, three seconds of the processor each: in `npm run test:all`.
describeInWhole.each(ENGINES)("by TypeORM's command line on %s", (engine) => {
  const typeorm = (command: string, url: string) => {
    needBuild();
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['node_modules/typeorm/cli.js', command, '-d', 'dist/ormconfig.js'],
      { cwd: ROOT, env: { PATH: process.env.PATH, DATABASE_URL: url }, encoding: 'utf8' },
    );
    return { status, output: stdout + stderr };
  };

  it('runs and reverts', async () => {
    const database = await createDatabase(engine);
    const dataSource = await connect(database);
    try {
      const ran = typeorm('migration:run', database.url);
      expect(ran.status).toBe(0);
      for (const name of NAMES) expect(ran.output).toContain(name);
      expect(await problemsOf(dataSource)).toEqual([]);
      for (const name of NAMES.toReversed()) {
        const output: unknown = expect.stringContaining(name);
        expect(typeorm('migration:revert', database.url)).toEqual({ status: 0, output });
      }
      expect((await dumpSchema(dataSource, engine, 'tasks')).columns).toEqual([]);
    } finally {
      await dataSource.destroy();
      await database.drop();
    }
  });
});
