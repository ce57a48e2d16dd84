import { callbacks } from './callbacks/run.js';
import { createDatabase, query } from './databases.js';
import { fill } from './direct/backlog.js';
import { direct, told } from './direct/run.js';
import { gets, lifeCycle } from './http/run.js';

/** Runs `measure` on a fresh database of each kind. */
async function on(kinds, measure) {
  const databases = [];
  try {
    for (const kind of kinds) databases.push(await createDatabase(kind));
    return await measure(...databases.map(({ url }) => url));
  } finally {
    for (const database of databases) await database.drop();
  }
}

/** Ours against a peer's life cycle over HTTP, one after the other; rates in tasks a second. */
const overHttp = (name, goal, kind, contender, itsKind = kind, more = {}) => ({
  name,
  goal,
  unit: 'tasks/s',
  needs: [kind, itsKind],
  round: ({ seconds, warmup }) =>
    on([kind, itsKind], async (ourUrl, itsUrl) => {
      const ours = await lifeCycle({ contender: 'softdd', url: ourUrl, seconds, warmup, ...more });
      const theirs = await lifeCycle({ contender, url: itsUrl, seconds, warmup, ...more });
      return { ours: ours.rate, theirs: theirs.rate };
    }),
});

const inProcess = (name, goal, kind, contender, itsKind = kind) => ({
  name,
  goal,
  unit: 'tasks/s',
  needs: [kind, itsKind],
  round: ({ tasks }) =>
    on([kind, itsKind], async (ourUrl, itsUrl) => {
      const ours = await direct({ contender: 'softdd', url: ourUrl, tasks });
      const theirs = await direct({ contender, url: itsUrl, tasks });
      return { ours: ours.rate, theirs: theirs.rate };
    }),
});

/** A latency of ours at one connection against the same SQL by hand: lower is better. */
const byHand = (call) => ({
  name: `MariaDB, 1 connection: ${call} against the same SQL by hand, p50`,
  goal: { atMost: 1.2 },
  unit: 'ms',
  needs: ['mysql'],
  round: ({ seconds, warmup }) =>
    on(['mysql', 'mysql'], async (ourUrl, itsUrl) => {
      const ours = await lifeCycle({ contender: 'softdd', url: ourUrl, connections: 1, seconds, warmup });
      const theirs = await lifeCycle({ contender: 'byHand', url: itsUrl, connections: 1, seconds, warmup });
      return { ours: ours.latency[call].p50, theirs: theirs.latency[call].p50 };
    }),
});

const tail = (kind, title) => ({
  name: `${title}, 64 connections: claim p99 against p50`,
  goal: { atMost: 3 },
  unit: 'ms',
  needs: [kind],
  round: ({ seconds, warmup }) =>
    on([kind], async (url) => {
      const { latency } = await lifeCycle({ contender: 'softdd', url, seconds, warmup });
      return { ours: latency.claim.p99, theirs: latency.claim.p50 };
    }),
});

const delivery = (kind, title) => ({
  name: `${title}, 1,000 callbacks to one receiver against plain axios POSTs, 8 at once`,
  goal: { atLeast: 0.2 },
  unit: 'callbacks/s',
  needs: [kind],
  round: () => on([kind], (url) => callbacks({ url, count: 1000 })),
});

/** Another session that looks at the tables as they were before the run, and so keeps every old version alive. */
async function withSnapshot(url, measure) {
  const { createConnection } = await import('mysql2/promise');
  const connection = await createConnection(url);
  await connection.query('SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ');
  await connection.query('START TRANSACTION WITH CONSISTENT SNAPSHOT');
  try {
    return await measure();
  } finally {
    await connection.end();
  }
}

/** The median claim, in process, of one backlog against that of a thousand ready tasks. The large one is filled once. */
const withBacklog = (kind, title, backlog) => ({
  name: `${title}: claim p50 with ${backlog.title} against 1,000 ready`,
  goal: { atMost: 1.25 },
  unit: 'ms',
  needs: [kind],
  async open({ share }) {
    const large = await createDatabase(kind);
    const part = ([name, count]) => [name, Math.max(count * share, 1000)];
    await fill(large.url, Object.fromEntries(Object.entries(backlog.tasks).map(part)));
    return large;
  },
  round: ({ claims }, large) =>
    on([kind], async (smallUrl) => {
      await fill(smallUrl, { ready: 1000 });
      const ours = await told('claims.js', [large.url, claims]);
      const theirs = await told('claims.js', [smallUrl, claims]);
      return { ours: ours.p50, theirs: theirs.p50 };
    }),
  close: (large) => large.drop(),
});

const BACKLOGS = [
  { title: '1,000,000 ready', tasks: { ready: 1_000_000 } },
  {
    title: '1,000,000 ready, 50,000 delayed and 50,000 leased',
    tasks: { ready: 1_000_000, delayed: 50_000, leased: 50_000 },
  },
];

export const SCENARIOS = [
  overHttp('MariaDB against BullMQ on Redis', { atLeast: 1.2 }, 'mysql', 'bullmq', 'redis'),
  overHttp('SQLite against BullMQ on Redis', { atLeast: 2.2 }, 'sqlite', 'bullmq', 'redis'),
  overHttp('PostgreSQL against pg-boss', { atLeast: 5 }, 'postgres', 'pgBoss'),
  overHttp("MariaDB against the original's claim", { atLeast: 15 }, 'mysql', 'original'),
  byHand('claim'),
  byHand('finish'),
  inProcess(
    'In process, MariaDB against BullMQ (addBulk, concurrency 50)',
    { atLeast: 1.8 },
    'mysql',
    'bullmq',
    'redis',
  ),
  inProcess('In process, PostgreSQL against graphile-worker', { atLeast: 1 }, 'postgres', 'graphileWorker'),
  inProcess('In process, PostgreSQL against pg-boss (batches of 100)', { atLeast: 1.2 }, 'postgres', 'pgBoss'),
  tail('mysql', 'MariaDB'),
  tail('postgres', 'PostgreSQL'),
  tail('sqlite', 'SQLite'),
  {
    name: 'MariaDB, an old snapshot held open, against none',
    goal: { atLeast: 0.7 },
    unit: 'tasks/s',
    needs: ['mysql'],
    round: ({ seconds, warmup }) =>
      on(['mysql', 'mysql'], async (heldUrl, freeUrl) => {
        // The tables are there before the snapshot is.
        await lifeCycle({ contender: 'softdd', url: heldUrl, seconds: 0.5 });
        await query(heldUrl, 'SELECT COUNT(*) FROM tasks');
        const held = await withSnapshot(heldUrl, () =>
          lifeCycle({ contender: 'softdd', url: heldUrl, seconds, warmup }),
        );
        const free = await lifeCycle({ contender: 'softdd', url: freeUrl, seconds, warmup });
        return { ours: held.rate, theirs: free.rate };
      }),
  },
  {
    name: 'SQLite, 256 connections against the best of 1, 16, 64 and 256',
    goal: { atLeast: 0.9 },
    unit: 'tasks/s',
    needs: ['sqlite'],
    round: ({ seconds, warmup }) => scaling('sqlite', { seconds, warmup }),
  },
  {
    name: 'MariaDB, 256 connections against the best of 1, 16, 64 and 256',
    goal: { atLeast: 0.9 },
    unit: 'tasks/s',
    needs: ['mysql'],
    round: ({ seconds, warmup }) => scaling('mysql', { seconds, warmup }),
  },
  ...[
    ['sqlite', 'SQLite'],
    ['mysql', 'MariaDB'],
    ['postgres', 'PostgreSQL'],
  ].flatMap(([kind, title]) => BACKLOGS.map((backlog) => withBacklog(kind, title, backlog))),
  {
    name: 'SQLite, memory of the process: after 1,000,000 tasks against after 100,000',
    goal: { atMost: 1.2 },
    unit: 'MB',
    needs: ['sqlite'],
    once: true,
    round: ({ share }) =>
      on(['sqlite'], async (url) => {
        const { sizes } = await told('memory.js', [url, Math.max(1_000_000 * share, 20_000)], ['--expose-gc']);
        return { ours: sizes[1], theirs: sizes[0] };
      }),
  },
  {
    name: 'An empty claim against an empty route',
    goal: { atLeast: 0.7 },
    unit: 'requests/s',
    needs: ['sqlite'],
    round: ({ seconds, warmup }) =>
      on(['sqlite'], async (url) => {
        const paths = ['/api/crontask?service=default&workerId=1', '/api/empty'];
        const [ours, theirs] = await gets({ contenders: 'softdd,empty', url, paths, seconds, warmup });
        return { ours, theirs };
      }),
  },
  delivery('sqlite', 'SQLite'),
  delivery('mysql', 'MariaDB'),
  delivery('postgres', 'PostgreSQL'),
];

async function scaling(kind, times) {
  const rates = [];
  for (const connections of [1, 16, 64, 256])
    rates.push(await on([kind], (url) => lifeCycle({ contender: 'softdd', url, connections, ...times })));
  return { ours: rates.at(-1).rate, theirs: Math.max(...rates.map(({ rate }) => rate)) };
}
