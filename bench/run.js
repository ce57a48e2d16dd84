import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { findDatabases, machine } from './databases.js';
import { SCENARIOS } from './scenarios.js';

/**
 * `npm run bench [-- --quick] [-- --only <words>]`: every scenario on the databases that it finds, ours and the peer's
 * in turn, so that both see the same weather; writes RESULTS.md when everything ran in full.
 */
const { values } = parseArgs({
  options: { quick: { type: 'boolean' }, only: { type: 'string' }, rounds: { type: 'string' } },
});
const effort = values.quick
  ? { rounds: 1, seconds: 0.5, warmup: 0.5, tasks: 2000, claims: 50, share: 0.01, connections: [64, 256] }
  : { rounds: 5, seconds: 3, warmup: 2, tasks: 40_000, claims: 500, share: 1, connections: [1, 16, 64, 256] };
if (values.quick)
  console.log('quick     one short round, backlogs of a hundredth: to see that it runs, not what it gives');
if (values.rounds) effort.rounds = Number(values.rounds);

const { found, missing } = await findDatabases();
for (const [kind, description] of Object.entries(found)) console.log(`${kind.padEnd(9)} ${description}`);
for (const [kind, reason] of Object.entries(missing)) console.log(`${kind.padEnd(9)} NOT FOUND: ${reason}`);

const rows = [];
for (const scenario of SCENARIOS) {
  const { measures, needs, again } = scenario;
  if (values.quick && again) continue;
  if (values.only && !measures.some(({ name }) => name.toLowerCase().includes(values.only.toLowerCase()))) continue;
  if (!needs.every((kind) => kind in found)) {
    for (const { name } of measures) console.log(`skipped   ${name}`);
    continue;
  }
  for (const row of await rowsOf(scenario)) {
    rows.push(row);
    console.log(row.join(' | '));
  }
}

const table = markdown(rows);
console.log(`\n${table}`);
if (!values.quick && !values.only) writeFileSync(new URL('RESULTS.md', import.meta.url), report(table));

/** One that fails, because a task was lost or a request refused, is told of in its place, and the others go on. */
async function rowsOf(scenario) {
  const { measures, once } = scenario;
  try {
    const rounds = [];
    const opened = await scenario.open?.(effort);
    for (let round = 0; round < (once ? 1 : effort.rounds); round++) rounds.push(await scenario.round(effort, opened));
    await scenario.close?.(opened);
    return measures.map((measure) => summary(measure, rounds.map(measure.figures)));
  } catch (error) {
    console.error(error);
    process.exitCode = 1;
    return measures.map(({ name, goal }) => [name, 'FAILED', '', wanted(goal), 'not met', error.message]);
  }
}

function summary({ name, goal, unit }, figures) {
  const ratios = figures.map(([ours, theirs]) => ours / theirs);
  const ratio = median(ratios);
  const met = goal.atLeast === undefined ? ratio <= goal.atMost : ratio >= goal.atLeast;
  return [
    name,
    ratio.toFixed(2),
    `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`,
    wanted(goal),
    met ? 'met' : 'not met',
    `${[0, 1].map((place) => figure(median(figures.map((pair) => pair[place])))).join(' / ')} ${unit}`,
  ];
}

function wanted({ atLeast, atMost }) {
  return atLeast === undefined ? `<= ${atMost}` : `>= ${atLeast}`;
}

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function figure(number) {
  return number < 100 ? number.toFixed(2) : Math.round(number).toLocaleString('en');
}

function markdown(lines) {
  const head = ['what', 'ratio (median)', 'spread', 'goal', '', 'ours / theirs'];
  return [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function report(text) {
  const { cpu, memory, system, node } = machine();
  const { dependencies } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));
  const peers = Object.keys(dependencies).map((name) => {
    const { version } = JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url), 'utf8'));
    return `${name} ${version}`;
  });
  return `# Results

Written by \`npm run bench\` on ${new Date().toISOString().slice(0, 10)}. ${effort.rounds} rounds; in each, ours and the
peer's run one after the other on fresh databases, ${effort.seconds} s after ${effort.warmup} s of warming up, or
${effort.tasks.toLocaleString('en')} tasks in process. Every run counted its tasks: none was lost, handed out twice or left unfinished.
Only the ratios mean something: databases, server and load client share one machine.

- Machine: ${cpu}, ${memory}, ${system}, Node ${node}
- Databases: ${Object.values(found).join('; ')}
- Peers: ${peers.join(', ')}

${text}
`;
}
