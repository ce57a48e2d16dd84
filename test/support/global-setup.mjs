import { createConnection } from 'mysql2/promise';
import pg from 'pg';

/** Where servers are looked for; the tests read the addresses from the environment, set here. */
const DEFAULTS = {
  TEST_MYSQL_URL: 'mysql://root@127.0.0.1:3306',
  TEST_POSTGRES_URL: 'postgres://postgres@127.0.0.1:5432',
};

const PROBES = [
  ['mysql', 'TEST_MYSQL_URL', async (url) => (await createConnection(url)).end()],
  [
    'postgres',
    'TEST_POSTGRES_URL',
    async (url) => {
      const client = new pg.Client({ connectionString: `${url.replace(/\/+$/, '')}/postgres` });
      await client.connect();
      await client.end();
    },
  ],
];

/** Finds the databases to test on, and says so; with CI set, a missing one is a failure. */
export default async function globalSetup() {
  const wanted = process.env.TEST_ENGINES?.split(',') ?? ['sqlite', 'mysql', 'postgres'];
  const found = wanted.filter((engine) => engine === 'sqlite');
  const lines = found.map(() => 'sqlite     found (embedded)');
  for (const [engine, variable, probe] of PROBES) {
    if (!wanted.includes(engine)) continue;
    process.env[variable] ??= DEFAULTS[variable];
    const address = process.env[variable].replace(/(\/\/[^:/@]*):[^@]*@/, '$1:***@');
    try {
      await probe(process.env[variable]);
      found.push(engine);
      lines.push(`${engine.padEnd(10)} found at ${address}`);
    } catch (error) {
      const why = error.message || error.code;
      lines.push(`${engine.padEnd(10)} NOT FOUND at ${address} (${why}); set ${variable} to test on it`);
    }
  }
  process.env.TASK_TEST_ENGINES = found.join(',');
  const report = `Databases under test:\n  ${lines.join('\n  ')}\n`;
  if (process.env.CI === 'true' && found.length < wanted.length) throw new Error(`CI needs every database. ${report}`);
  process.stdout.write(`\n${report}`);
}
