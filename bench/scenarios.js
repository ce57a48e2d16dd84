import { callbacks } from './callbacks/run.js';
import { createDatabase, query } from './databases.js';
import { fill } from './direct/backlog.js';
import { direct, told } from './direct/run.js';
import { gets, lifeCycle } from './http/run.js';

const SQLITE = ['SQLite', 'sqlite'];
const MARIADB = ['MariaDB', 'mysql'];
const POSTGRES = ['PostgreSQL', 'postgres'];

/** What the peers are measured on, and the goals of the rate and of the processor time: theirs over ours. */
const BULLMQ = ['BullMQ with the same guarantees', 'bullmq', 'redis'];
const BULLMQ_THIN = ['thin BullMQ', 'bullmqThin', 'redis'];
const BULLMQ_POSTGRES = ['BullMQ on PostgreSQL with the same guarantees', 'bullmqPostgres', 'postgres'];
const PG_BOSS = ['pg-boss', 'pgBoss', 'postgres'];

/** Runs `work` on a fresh database of each kind. */
async function on(kinds, work) {
  const databases = [];
  try {
    for (const kind of kinds) databases.push(await createDatabase(kind));
    return await work(...databases.map(({ url }) => url));
  } finally {
    for (const database of databases) await database.drop();
  }
}

/** Ours over theirs is what a measure tells, of the same two figures of each round. */
const measure = (name, goal, unit, figures) => ({ name, goal, unit, figures });

/** The rates of two contenders, and beside it the processor time of a task, of which theirs over ours is told. */
const race = (name, { rate, cpu }) => ({
  ...measure(name, { atLeast: rate }, 'tasks/s', ({ ours, theirs }) => [ours.rate, theirs.rate]),
  cpu: { goal: cpu && { atLeast: cpu }, figures: ({ ours, theirs }) => [ours.cpu, theirs.cpu] },
});

/** Ours and a peer's cycle over HTTP, one after the other. */
const overHttp = (goals, [title, kind], [peer, contender, itsKind], cycle = 'oneTask', connections = 64) => ({
  needs: [kind, itsKind],
  measures: [race(`${cycle === 'lists' ? 'Lists of 100, ' : ''}${title} against ${peer}`, goals)],
  round: ({ seconds, warmup }) =>
    on([kind, itsKind], async (ourUrl, itsUrl) => {
      const load = { cycle, connections, seconds, warmup };
      return {
        ours: await lifeCycle({ contender: 'softdd', kind, url: ourUrl, ...load }),
        theirs: await lifeCycle({ contender, kind: itsKind, url: itsUrl, ...load }),
      };
    }),
});

/** How long the longest of our claims take, of many connections. */
const tail = ([title, kind]) => ({
  needs: [kind],
  measures: [
    measure(`${title}, 64 connections: claim p99 against p50`, { atMost: 3 }, 'ms', ({ latency }) => [
      latency.claim.p99,
      latency.claim.p50,
    ]),
  ],
  round: ({ seconds, warmup }) => on([kind], (url) => lifeCycle({ contender: 'softdd', kind, url, seconds, warmup })),
});

const inProcess = (name, goals, kind, contender, itsKind = kind) => ({
  needs: [kind, itsKind],
  measures: [race(`In process, ${name}`, goals)],
  round: ({ tasks }) =>
    on([kind, itsKind], async (ourUrl, itsUrl) => ({
      ours: await direct({ contender: 'softdd', kind, url: ourUrl, tasks }),
      theirs: await direct({ contender, kind: itsKind, url: itsUrl, tasks }),
    })),
});

/** Our latencies at one connection against the same SQL by hand: lower is better. */
const byHand = () => ({
  needs: ['mysql'],
  measures: ['claim', 'finish'].map((call) =>
    measure(
      `MariaDB, 1 connection: ${call} against the same SQL by hand, p50`,
      { atMost: 1.2 },
      'ms',
      ({ ours, theirs }) => [ours.latency[call].p50, theirs.latency[call].p50],
    ),
  ),
  round: ({ seconds, warmup }) =>
    on(['mysql', 'mysql'], async (ourUrl, itsUrl) => ({
      ours: await lifeCycle({ contender: 'softdd', kind: 'mysql', url: ourUrl, connections: 1, seconds, warmup }),
      theirs: await lifeCycle({ contender: 'byHand', kind: 'mysql', url: itsUrl, connections: 1, seconds, warmup }),
    })),
});

const delivery = ([title, kind]) => ({
  needs: [kind],
  measures: [
    measure(
      `${title}, 1,000 callbacks to one receiver against plain axios POSTs, 8 at once`,
      { atLeast: 0.2 },
      'callbacks/s',
      ({ ours, theirs }) => [ours, theirs],
    ),
  ],
  round: ({ share }) => on([kind], (url) => callbacks({ url, count: Math.max(1000 * share, 200) })),
});

/** Another session that looks at the tables as they were before the run, and so keeps every old version alive. */
async function withSnapshot(url, work) {
  const { createConnection } = await import('mysql2/promise');
  const connection = await createConnection(url);
  await connection.query('SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ');
  await connection.query('START TRANSACTION WITH CONSISTENT SNAPSHOT');
  try {
    return await work();
  } finally {
    await connection.end();
  }
}

const BACKLOGS = [
  { title: '1,000,000 ready', tasks: { ready: 1_000_000 } },
  {
    title: '1,000,000 ready, 50,000 delayed and 50,000 leased',
    tasks: { ready: 1_000_000, delayed: 50_000, leased: 50_000 },
  },
];

/** The median claim, in process, of large backlogs, filled once, against that of a thousand ready tasks. */
const backlogs = ([title, kind]) => ({
  needs: [kind],
  measures: BACKLOGS.map((backlog, place) =>
    measure(
      `${title}: claim p50 with ${backlog.title} against 1,000 ready`,
      { atMost: 1.25 },
      'ms',
      ({ small, large }) => [large[place].p50, small.p50],
    ),
  ),
  async open({ share }) {
    const part = ([name, count]) => [name, Math.max(count * share, 1000)];
    const databases = [];
    for (const { tasks } of BACKLOGS) {
      databases.push(await createDatabase(kind));
      await fill(databases.at(-1).url, Object.fromEntries(Object.entries(tasks).map(part)));
    }
    return databases;
  },
  round: ({ claims }, databases) =>
    on([kind], async (smallUrl) => {
      await fill(smallUrl, { ready: 1000 });
      const large = [];
      for (const { url } of databases) large.push(await told('claims.js', [url, claims]));
      return { large, small: await told('claims.js', [smallUrl, claims]) };
    }),
  async close(databases) {
    for (const database of databases) await database.drop();
  },
});

const scaling = ([title, kind]) => ({
  needs: [kind],
  measures: [
    measure(`${title}, 256 connections against the best of 1, 16, 64, 256`, { atLeast: 0.9 }, 'tasks/s', (rates) => [
      rates.at(-1),
      Math.max(...rates),
    ]),
  ],
  async round({ seconds, warmup, connections: counts }) {
    const rates = [];
    for (const connections of counts) {
      const { rate } = await on([kind], (url) =>
        lifeCycle({ contender: 'softdd', kind, url, connections, seconds, warmup }),
      );
      rates.push(rate);
    }
    return rates;
  },
});

const oldSnapshot = () => ({
  needs: ['mysql'],
  measures: [
    measure('MariaDB, an old snapshot held open, against none', { atLeast: 0.7 }, 'tasks/s', ({ held, free }) => [
      held.rate,
      free.rate,
    ]),
  ],
  round: ({ seconds, warmup }) =>
    on(['mysql', 'mysql'], async (heldUrl, freeUrl) => {
      // The tables are there before the snapshot is.
      await lifeCycle({ contender: 'softdd', kind: 'mysql', url: heldUrl, seconds: 0.5 });
      await query(heldUrl, 'SELECT COUNT(*) FROM tasks');
      const run = (url) => lifeCycle({ contender: 'softdd', kind: 'mysql', url, seconds, warmup });
      return { held: await withSnapshot(heldUrl, () => run(heldUrl)), free: await run(freeUrl) };
    }),
});

const memory = () => ({
  needs: ['sqlite'],
  once: true,
  measures: [
    measure(
      'SQLite, memory of the process: after 1,000,000 tasks against after 100,000',
      { atMost: 1.2 },
      'MB',
      ({ sizes: [early, late] }) => [late, early],
    ),
  ],
  round: ({ share }) =>
    on(['sqlite'], (url) =>
      told('memory.js', [url, Math.max(1_000_000 * share, 10_000)], { execArgv: ['--expose-gc'] }),
    ),
});

const emptyClaim = () => ({
  needs: ['sqlite'],
  measures: [
    measure('An empty claim against an empty route', { atLeast: 0.7 }, 'requests/s', ([claims, empty]) => [
      claims,
      empty,
    ]),
  ],
  round: ({ seconds, warmup }) =>
    on(['sqlite'], (url) => {
      const paths = ['/api/crontask?service=default&workerId=1', '/api/empty'];
      return gets({ contenders: 'softdd,empty', url, paths, seconds, warmup });
    }),
});

/** The same on another database, which a quick run leaves out. */
const again = (scenario) => ({ ...scenario, again: true });

export const SCENARIOS = [
  overHttp({ rate: 1.1, cpu: 1.1 }, MARIADB, BULLMQ),
  overHttp({ rate: 0.75 }, MARIADB, BULLMQ_THIN),
  overHttp({ rate: 1.4 }, SQLITE, BULLMQ),
  overHttp({ rate: 1.5 }, POSTGRES, BULLMQ_POSTGRES),
  overHttp({ rate: 5 }, POSTGRES, PG_BOSS),
  overHttp({ rate: 15 }, MARIADB, ["the original's claim", 'original', 'mysql']),
  overHttp({ rate: 1.5 }, MARIADB, ['BullMQ (addBulk)', 'bullmqThin', 'redis'], 'lists', 8),
  overHttp({ rate: 1.5 }, POSTGRES, ['pg-boss (insert, fetch, complete)', 'pgBoss', 'postgres'], 'lists', 8),
  ...[MARIADB, SQLITE, POSTGRES].map(tail),
  byHand(),
  inProcess('MariaDB against BullMQ (addBulk, concurrency 50)', { rate: 1 }, 'mysql', 'bullmqThin', 'redis'),
  inProcess('PostgreSQL against graphile-worker', { rate: 1 }, 'postgres', 'graphileWorker'),
  inProcess('PostgreSQL against pg-boss (batches of 100)', { rate: 1 }, 'postgres', 'pgBoss'),
  inProcess('PostgreSQL against BullMQ on PostgreSQL', { rate: 1.5 }, 'postgres', 'bullmqPostgresThin'),
  oldSnapshot(),
  scaling(SQLITE),
  again(scaling(MARIADB)),
  backlogs(SQLITE),
  again(backlogs(MARIADB)),
  again(backlogs(POSTGRES)),
  memory(),
  emptyClaim(),
  delivery(SQLITE),
  again(delivery(MARIADB)),
  again(delivery(POSTGRES)),
];
