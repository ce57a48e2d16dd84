// Uses every private part of TypeORM, mysql2 and pg that the library uses, and prints as JSON what each of them said:
// 'ok', or what is wrong.
//   node try-private-parts.mjs <folder of the built package> <address of MySQL, or -> <address of PostgreSQL, or ->
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [folder, mysqlUrl, postgresUrl] = process.argv.slice(2);
const require = createRequire(join(folder, 'package.json'));
const internals = async (name) => import(pathToFileURL(join(folder, `dist/src/database/${name}-internals.js`)).href);

const typeorm = require('typeorm');
const ours = await internals('typeorm');
const pg = await internals('pg');
const mysql2 = await internals('mysql2');

const report = {};
async function tell(name, use) {
  try {
    const problem = await use();
    report[name] = problem ?? 'ok';
  } catch (error) {
    report[name] = String(error);
  }
}
const needs = (found, ...names) => {
  const missing = names.filter((name) => found[name] === undefined);
  return missing.length > 0 ? `has no ${missing.join(', ')}` : undefined;
};
const equal = (found, wanted) => {
  const [is, should] = [found, wanted].map((value) => JSON.stringify(value));
  return is === should ? undefined : `is ${is}, not ${should}`;
};

class HostMigration1700000000001 {
  name = 'HostMigration1700000000001';
  async up() {
    throw new Error("the host's migration ran");
  }
  async down() {}
}
class OurMigration1700000000002 {
  name = 'OurMigration1700000000002';
  async up(runner) {
    await runner.query('CREATE TABLE ours (id INTEGER)');
  }
  async down() {}
}

const transformer = { to: (value) => `<${value}>`, from: (value) => value.slice(1, -1) };
const Thing = new typeorm.EntitySchema({
  name: 'Thing',
  tableName: 'things',
  columns: {
    id: { type: 'integer', primary: true },
    json: { type: 'simple-json' },
    marked: { type: 'varchar', transformer },
  },
});

async function sqlite() {
  const statements = [];
  const logger = new Proxy({}, { get: () => (text) => void statements.push(String(text)) });
  const dataSource = await new typeorm.DataSource({
    type: 'better-sqlite3',
    driver: require('libsql'),
    database: ':memory:',
    entities: [Thing],
    migrations: [HostMigration1700000000001],
    logging: true,
    logger,
  }).initialize();
  await tell('SQLite: driver.databaseConnection', () =>
    equal(ours.sqliteConnection(dataSource).prepare('SELECT 1 AS one').all(), [{ one: 1 }]),
  );
  await tell('SQLite: driver.sqlite', () => {
    const client = new (ours.sqliteClass(dataSource))(':memory:', {});
    const found = client.prepare('SELECT 2 AS two').all();
    client.close();
    return equal(found, [{ two: 2 }]);
  });
  await tell('MigrationExecutor over a data source with other migrations', async () => {
    const runner = dataSource.createQueryRunner();
    const ran = await ours
      .migrationExecutor(dataSource, runner, [new OurMigration1700000000002()])
      .executePendingMigrations();
    const known = await runner.query('SELECT name FROM migrations');
    return equal(
      [ran.map(({ name }) => name), known],
      [['OurMigration1700000000002'], [{ name: 'OurMigration1700000000002' }]],
    );
  });
  await tell("MigrationExecutor.transaction = 'none'", () => {
    const opened = statements.filter((text) => /^(BEGIN|START)/.test(text));
    if (!statements.some((text) => text.startsWith('CREATE TABLE ours'))) return 'the logger heard nothing';
    return equal(opened, []);
  });
  const column = (name) => dataSource.getMetadata(Thing).columns.find(({ propertyName }) => propertyName === name);
  await tell('driver.preparePersistentValue', () =>
    equal(
      [ours.toDatabase(dataSource, { a: 1 }, column('json')), ours.toDatabase(dataSource, 'x', column('marked'))],
      ['{"a":1}', '<x>'],
    ),
  );
  await tell('driver.prepareHydratedValue', () =>
    equal(
      [
        ours.fromDatabase(dataSource, '{"a":1}', column('json')),
        ours.fromDatabase(dataSource, '<x>', column('marked')),
      ],
      [{ a: 1 }, 'x'],
    ),
  );
  await tell('ColumnMetadata', () =>
    needs(
      column('marked'),
      'databaseName',
      'propertyName',
      'isVirtual',
      'isSelect',
      'isArray',
      'type',
      'transformer',
      'length',
      'getEntityValue',
      'setEntityValue',
    ),
  );
  await tell('EntityMetadata', () =>
    needs(dataSource.getMetadata(Thing), 'columns', 'tableName', 'givenTableName', 'tablePath', 'create'),
  );
  await tell('QueryRunner.connection', () =>
    equal(dataSource.createQueryRunner().connection.options.database, ':memory:'),
  );
  await dataSource.destroy();
}

async function mysql() {
  const dataSource = await new typeorm.DataSource({ type: 'mysql', url: mysqlUrl }).initialize();
  await tell('MySQL: driver.obtainMasterConnection', async () => {
    const client = await ours.obtainMysql(dataSource);
    const rows = await new Promise((resolve, reject) =>
      client.query({ sql: 'SELECT 1 AS one' }, (error, found) => (error ? reject(error) : resolve(found))),
    );
    client.release();
    return equal(rows, [{ one: 1 }]) ?? needs(client, 'escape', 'on', 'destroy', 'config');
  });
  await tell('MySQL: QueryRunner.connect answers a client', async () => {
    const runner = dataSource.createQueryRunner();
    const client = await runner.connect();
    await runner.release();
    return needs(client, 'query', 'escape', 'config');
  });
  await tell('mysql2: connection.stream', async () => {
    const client = await ours.obtainMysql(dataSource);
    const { stream } = client;
    if (typeof stream?.destroy !== 'function') return 'has no stream.destroy';
    client.on('error', () => undefined);
    mysql2.hangUp(client);
    return stream.destroyed ? undefined : 'the socket is open';
  });
  await dataSource.destroy();
}

async function postgres() {
  const dataSource = await new typeorm.DataSource({ type: 'postgres', url: postgresUrl }).initialize();
  let connected = 0;
  await tell("PostgreSQL: driver.master.on('connect')", async () => {
    ours.onPostgresConnect(dataSource, () => connected++);
    const loans = await Promise.all([1, 2].map(() => ours.obtainPostgres(dataSource)));
    for (const [, release] of loans) release();
    return connected > 0 ? undefined : 'heard of no connection';
  });
  await tell('PostgreSQL: driver.obtainMasterConnection', async () => {
    const [client, release] = await ours.obtainPostgres(dataSource);
    const { rows } = await client.query('SELECT 1 AS one', []);
    release();
    return equal(rows, [{ one: 1 }]) ?? needs(client, 'getTypeParser', 'on', 'off');
  });
  await tell('PostgreSQL: QueryRunner.connect answers a client', async () => {
    const runner = dataSource.createQueryRunner();
    const client = await runner.connect();
    await runner.release();
    return needs(client, 'query', 'getTypeParser');
  });
  const [client, release] = await ours.obtainPostgres(dataSource);
  client.on('error', () => undefined);
  await tell('pg: Client.Query', () => (pg.takesQueryObjects(client) ? needs(client.constructor, 'Query') : 'is gone'));
  await tell('pg: client.connection', () =>
    needs(client.connection, 'parse', 'bind', 'describe', 'execute', 'close', 'sync', 'stream'),
  );
  await tell('pg: Query.prepare and Query.handleError', () => {
    const sent = [];
    const connection = new Proxy({}, { get: (_, name) => () => sent.push(name) });
    const held = pg.withoutSync(connection);
    const errors = [];
    const refuse = (error) => errors.push(error.message);
    pg.writeStatement(client, held, { text: 'SELECT $1', values: ['x'] }, refuse);
    const wrote = equal(sent, ['parse', 'bind', 'describe', 'execute']);
    const broken = {
      ...held,
      bind() {
        throw new Error('unwritable');
      },
    };
    pg.writeStatement(client, broken, { text: 'SELECT $1', values: ['x'] }, refuse);
    return wrote ?? equal(errors, ['unwritable']);
  });
  await tell('pg: connection.stream', () => {
    const { stream } = client.connection;
    pg.hangUp(client);
    return stream.destroyed ? needs(stream, 'cork', 'uncork') : 'the socket is open';
  });
  release(true);
  await dataSource.destroy();
}

await sqlite();
if (mysqlUrl !== '-') await mysql();
if (postgresUrl !== '-') await postgres();
const { version } = JSON.parse(readFileSync(join(dirname(require.resolve('typeorm')), 'package.json'), 'utf8'));
console.log(JSON.stringify({ version, report }));
process.exit(0);
