import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource, QueryRunner } from 'typeorm';
import { runTaskMigrations, TASK_STATUS } from '../../../src/index.js';
import { createSchema } from '../../../src/schema/engines/create-schema.js';
import { withOurModes } from '../../../src/schema/engines/mysql.session.js';
import type { TaskSchema } from '../../../src/schema/schema.js';
import { SIDE_TABLES } from '../../../src/schema/releases.js';
import { runStep } from '../../../src/schema/steps.js';
import { DIGEST, ID, type SideTable } from '../../../src/schema/tables/table.js';
import { createDatabase, type Engine, ENGINES, type TestDatabase } from '../../support/databases.js';
import { dumpSchema } from './fixtures/dump.js';
import { connect, problemsOf } from './fixtures/queue.js';

/** Every kind, a word that SQL reserves, a primary key and an index of several columns. */
const ITEMS: SideTable = {
  suffix: 'items',
  holds: 'items',
  columns: {
    task_id: ID,
    hash: { ...DIGEST, nullable: true },
    group: { kind: 'key', length: 40 },
    title: { kind: 'string', length: 30, nullable: true },
    note: { kind: 'text', nullable: true },
    body: { kind: 'long text', nullable: true },
    flag: { kind: 'tiny', default: 1 },
    rank: { kind: 'small', default: -2 },
    count: { kind: 'int', default: 0 },
    total: { kind: 'big', default: 0 },
    until: { kind: 'time', nullable: true },
    made_at: { kind: 'local time', nullable: true },
  },
  primaryKey: ['task_id', 'group'],
  indexes: {
    group: { on: ['group', 'made_at', 'task_id'] },
    due: { on: ['until'], where: { column: 'until', is: 'not null' } },
    some: { on: ['count'], where: { column: 'rank', is: -2 } },
  },
};

const COLUMNS: Record<Engine, string[]> = {
  mysql: [
    'task_id char(36) utf8mb4 byte for byte NOT NULL',
    'hash char(64) utf8mb4 byte for byte',
    'group varchar(40) utf8mb4 byte for byte NOT NULL',
    'title varchar(30) utf8mb4',
    'note text utf8mb4',
    'body mediumtext utf8mb4',
    'flag tinyint NOT NULL DEFAULT 1',
    'rank smallint NOT NULL DEFAULT -2',
    'count int NOT NULL DEFAULT 0',
    'total bigint NOT NULL DEFAULT 0',
    'until datetime(3)',
    'made_at datetime(3) DEFAULT utc_timestamp(3)',
  ],
  postgres: [
    'task_id character varying(36) NOT NULL',
    'hash character(64)',
    'group character varying(40) NOT NULL',
    'title character varying(30)',
    'note text',
    'body text',
    'flag smallint NOT NULL DEFAULT 1',
    "rank smallint NOT NULL DEFAULT '-2'::integer",
    'count integer NOT NULL DEFAULT 0',
    'total bigint NOT NULL DEFAULT 0',
    'until timestamp(3) with time zone',
    'made_at timestamp(3) with time zone DEFAULT clock_timestamp()',
  ],
  sqlite: [
    'task_id varchar(36) NOT NULL PRIMARY KEY',
    'hash char(64)',
    'group varchar(40) NOT NULL PRIMARY KEY',
    'title varchar(30)',
    'note text',
    'body text',
    'flag smallint NOT NULL DEFAULT 1',
    'rank smallint NOT NULL DEFAULT -2',
    'count integer NOT NULL DEFAULT 0',
    'total integer NOT NULL DEFAULT 0',
    'until datetime',
    "made_at datetime DEFAULT strftime('%Y-%m-%d %H:%M:%f', 'now')",
  ],
};

const INDEXES: Record<Engine, string[]> = {
  mysql: [
    'UNIQUE PRIMARY (task_id,group)',
    'tasks_items_due (until)',
    'tasks_items_group (group,made_at,task_id)',
    'tasks_items_some (count)',
  ],
  postgres: [
    'CREATE INDEX tasks_items_due ON public.tasks_items USING btree (until) WHERE (until IS NOT NULL)',
    'CREATE INDEX tasks_items_group ON public.tasks_items USING btree ("group", made_at NULLS FIRST, task_id)',
    'CREATE UNIQUE INDEX tasks_items_pkey ON public.tasks_items USING btree (task_id, "group")',
    "CREATE INDEX tasks_items_some ON public.tasks_items USING btree (count) WHERE (rank = '-2'::integer)",
  ],
  sqlite: [
    'sqlite_autoindex_tasks_items_1',
    'CREATE INDEX "tasks_items_due" ON "tasks_items" (until) WHERE until IS NOT NULL',
    'CREATE INDEX "tasks_items_group" ON "tasks_items" ("group", made_at, task_id)',
    'CREATE INDEX "tasks_items_some" ON "tasks_items" (count) WHERE rank = -2',
  ],
};

describe.each(ENGINES)('a table that is only declared, on %s', (engine) => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let runner: QueryRunner;
  let schema: TaskSchema;
  beforeEach(async () => {
    database = await createDatabase(engine);
    dataSource = await connect(database);
    runner = dataSource.createQueryRunner();
    const options = { table: 'tasks', status: TASK_STATUS, timeZone: '+00:00', turns: true };
    schema = await createSchema(runner, options, [...SIDE_TABLES, ITEMS]);
  });
  afterEach(async () => {
    await runner.release();
    await dataSource.destroy();
    await database.drop();
  });

  /** Runs the steps; answers what they were for. */
  const run = (find: 'missing' | 'removal' | 'removalOf'): Promise<string[]> =>
    withOurModes(runner, async () => {
      const steps = find === 'removalOf' ? schema.removalOf([ITEMS]) : await schema[find]();
      for (const step of steps) await runStep(runner, step, 'tasks');
      return [...new Set(steps.map(({ what }) => what))];
    });
  const dump = () => dumpSchema(dataSource, engine, 'tasks_items');
  const dropIndex = () =>
    dataSource.query(`DROP INDEX tasks_items_group${engine === 'mysql' ? ' ON tasks_items' : ''}`);

  it('is made as declared, beside tables that are there, and nothing is left to do', async () => {
    await runTaskMigrations(dataSource);
    expect((await run('missing'))[0]).toBe('table tasks_items is missing');
    expect(await dump()).toEqual({ columns: COLUMNS[engine], indexes: INDEXES[engine], triggers: [] });
    expect(await run('missing')).toEqual([]);
  });

  it('has a lost index made anew, and one that is other than declared where the engine tells', async () => {
    await run('missing');
    await dropIndex();
    expect(await run('missing')).toEqual(['index tasks_items_group is missing']);
    await dropIndex();
    await dataSource.query('CREATE INDEX tasks_items_group ON tasks_items (flag)');
    if (engine !== 'mysql') {
      expect(await run('missing')).toEqual(['index tasks_items_group is different from what the options require']);
      expect((await dump()).indexes).toEqual(INDEXES[engine]);
    }
    expect(await run('missing')).toEqual([]);
  });

  it('is not forced upon a table of that name', async () => {
    await dataSource.query('CREATE TABLE tasks_items (task_id integer, flag integer)');
    await expect(run('missing')).rejects.toThrow(
      /`tasks_items` exists and is not the queue's table of items: it has no column hash, group, title, /,
    );
  });

  it('goes alone with the release that added it, and with all others', async () => {
    await run('missing');
    expect(await run('removalOf')).toEqual(['table tasks_items']);
    expect((await dump()).columns).toEqual([]);
    expect(await problemsOf(dataSource)).toEqual([]);
    await run('missing');
    await run('removal');
    const sides = ['ready', ...SIDE_TABLES.map(({ suffix }) => suffix), 'items'].map((suffix) => `tasks_${suffix}`);
    for (const table of ['tasks', ...sides]) expect((await dumpSchema(dataSource, engine, table)).columns).toEqual([]);
  });
});
