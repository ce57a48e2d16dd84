import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { findDatabases, machine } from './databases.js';
import { SCENARIOS } from './scenarios.js';

/**
 * `npm run bench [-- --quick] [-- --cpu] [-- --only <words>] [-- --rounds <n>]`: every scenario on the databases that it
 * finds, ours and the peer's in turn, so that both see the same weather; writes RESULTS.md when everything ran in full.
 * `--cpu`: one round of those that tell the processor time of a task, which is steadier than a rate on a machine that
 * does other work, too.
 */
const { values } = parseArgs({
  options: {
    quick: { type: 'boolean' },
    cpu: { type: 'boolean' },
    only: { type: 'string' },
    rounds: { type: 'string' },
  },
});
const QUICK = { rounds: 1, seconds: 0.5, warmup: 0.5, tasks: 2000, claims: 50, share: 0.01, connections: [64, 256] };
const CPU = { rounds: 1, seconds: 2, warmup: 3, tasks: 20_000 };
const FULL = { rounds: 5, seconds: 3, warmup: 2, tasks: 40_000, claims: 500, share: 1, connections: [1, 16, 64, 256] };
const effort = values.quick ? QUICK : values.cpu ? CPU : FULL;
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
  if (values.cpu && !measures.some(({ cpu }) => cpu)) continue;
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
if (effort === FULL && !values.only) writeFileSync(new URL('RESULTS.md', import.meta.url), report(table));

/** One that fails, because a task was lost or a request refused, is told of in its place, and the others go on. */
async function rowsOf(scenario) {
  const { measures, once } = scenario;
  try {
    const rounds = [];
    const opened = await scenario.open?.(effort);
    for (let round = 0; round < (once ? 1 : effort.rounds); round++) rounds.push(await scenario.round(effort, opened));
    await scenario.close?.(opened);
    return measures.map((measure) => [...summary(measure, rounds), ...cpuSummary(measure, rounds)]);
  } catch (error) {
    console.error(error);
    process.exitCode = 1;
    return measures.map(({ name, goal }) => [
      name,
      'FAILED',
      '',
      wanted(goal),
      'not met',
      error.message,
      '',
      '',
      '',
      '',
    ]);
  }
}

function summary({ name, goal, unit, figures: figuresOf }, rounds) {
  const figures = rounds.map(figuresOf);
  const ratios = figures.map(([ours, theirs]) => ours / theirs);
  return [
    name,
    median(ratios).toFixed(2),
    `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`,
    wanted(goal),
    isMet(goal, median(ratios)),
    `${[0, 1].map((place) => figure(median(figures.map((pair) => pair[place])))).join(' / ')} ${unit}`,
  ];
}

/** Theirs over ours of the processor time of a task, all processes together. */
function cpuSummary({ cpu }, rounds) {
  if (!cpu) return ['', '', '', ''];
  const pairs = rounds.map(cpu.figures);
  const sum = (times) => Object.values(times).reduce((total, time) => total + time, 0);
  const ratio = median(pairs.map(([ours, theirs]) => sum(theirs) / sum(ours)));
  const parts = (place) =>
    Object.keys(pairs[0][place])
      .map((name) => Math.round(median(pairs.map((pair) => pair[place][name]))))
      .join(' + ');
  return [
    ratio.toFixed(2),
    cpu.goal ? wanted(cpu.goal) : '',
    cpu.goal ? isMet(cpu.goal, ratio) : '',
    `${parts(0)} / ${parts(1)} µs`,
  ];
}

function isMet({ atLeast, atMost }, ratio) {
  return (atLeast === undefined ? ratio <= atMost : ratio >= atLeast) ? 'met' : 'not met';
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
  const rate = ['what', 'ratio (median)', 'spread', 'goal', '', 'ours / theirs'];
  const cpu = ['CPU ratio', 'goal', '', 'CPU a task: node + database + load client, ours / theirs'];
  const head = [...rate, ...cpu];
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
Only the ratios mean something: databases, server and load client share one machine. A CPU ratio is theirs over ours
of the processor time of a task, of all processes together, so higher is better for us in both ratios.

- Machine: ${cpu}, ${memory}, ${system}, Node ${node}
- Databases: ${Object.values(found).join('; ')}
- Peers: ${peers.join(', ')}

${text}
`;
}
