import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { machine } from '../databases.js';

/**
 * `node bench/operators/run.js [--tasks 1000000] [--seconds 60] [--engine postgres]`, after `npm run build`: what it
 * costs the database that an operator looks every 2 s. Writes RESULTS.md beside it when it ran in full.
 */
const { values } = parseArgs({
  options: { tasks: { type: 'string' }, seconds: { type: 'string' }, engine: { type: 'string' } },
});
const tasks = Number(values.tasks ?? 1_000_000);
const seconds = Number(values.seconds ?? 60);
const REAL_MYSQL = process.env.BENCH_REAL_MYSQL_URL ?? 'mysql://root@127.0.0.1:33097';
const ENGINES = {
  sqlite: ['sqlite'],
  mariadb: ['mysql'],
  mysql: ['mysql', { BENCH_MYSQL_URL: REAL_MYSQL }],
  postgres: ['postgres'],
};

const sections = [];
let failed = false;
for (const [name, [kind, environment]] of Object.entries(ENGINES)) {
  if (values.engine && values.engine !== name) continue;
  const child = fork(new URL('measure.js', import.meta.url), [kind, String(tasks), String(seconds)], {
    env: { ...process.env, ...environment },
  });
  let result;
  child.once('message', (message) => (result = message));
  await once(child, 'exit');
  if (!result) {
    failed = true;
    console.error(`${name}: FAILED`);
    continue;
  }
  sections.push(section(result));
  console.log(`${sections.at(-1)}\n`);
  for (const { scans } of result.routes)
    for (const scan of scans) {
      failed = true;
      console.error(`reads a table end to end: ${scan}`);
    }
}
const isFull = !values.tasks && !values.seconds && !values.engine;
if (isFull && !failed) writeFileSync(new URL('RESULTS.md', import.meta.url), report());
process.exitCode = failed ? 1 : 0;

function section({ version, looks, took, filled, routes, perSecond, different }) {
  const figure = (number, digits = 1) =>
    number === undefined ? '-' : number.toLocaleString('en-US', { maximumFractionDigits: digits });
  const lines = routes.map(
    ({ name, statements, rows, median, worst, scans }) =>
      `| ${[name, figure(statements), figure(rows, 0), figure(median), figure(worst), scans.length || 'none'].join(' | ')} |`,
  );
  return [
    `## ${version}`,
    '',
    `${looks} looks in ${figure(took, 0)} s; the tables were filled in ${filled} s. ` +
      `The looks send ${figure(perSecond.looks)} statements per second; the queue itself sends ${figure(perSecond.background)}. ` +
      `${different} different reads were explained.`,
    '',
    '| request | statements | rows read | ms, median | ms, worst | read end to end |',
    '| --- | --- | --- | --- | --- | --- |',
    ...lines,
  ].join('\n');
}

function report() {
  const { cpu, memory, system, node } = machine();
  return `# What operators cost

Written by \`node bench/operators/run.js\` on ${new Date().toISOString().slice(0, 10)}. The database holds
${tasks.toLocaleString('en-US')} tasks of 7 days, of ${Math.round(tasks * 0.15).toLocaleString('en-US')} of which none has ended: 12% are ready, 2.5% wait, 0.5% are with workers. They
are of 8 services and 1,000 owners; beside them are 7 days of metrics, ${(tasks / 20).toLocaleString('en-US')} callbacks and ${(tasks / 50).toLocaleString('en-US')} failed attempts. For
${seconds} s an operator sends each request every 2 s, one after the other, over HTTP. Nothing else runs in the queue.

- Statements and rows read are those of one request, on average. An overview is answered from memory for 2 s, so that
  some requests send none.
- Rows read are counted by the engine when the statement is repeated: \`Handler_read_%\` of the session, rows of
  \`EXPLAIN ANALYZE\`; they include rows of temporary tables on MariaDB and MySQL. SQLite does not tell.
- Each statement was explained. "Read end to end" counts plans that read a whole table of more than 1,000 rows.
- Machine: ${cpu}, ${memory}, ${system}, Node ${node}. Databases, server and client share it.

${sections.join('\n\n')}
`;
}
