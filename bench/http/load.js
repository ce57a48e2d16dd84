import { Client } from 'undici';
import { CONTENDERS } from '../contenders/index.js';

/** Tasks of one request of lists. */
const SIZE = 100;

/** What one connection does over and over: it creates a task, claims one and finishes it. Answers how many it finished. */
async function oneTask(call, requests, input, worker) {
  await call('create', requests.create(input));
  for (;;) {
    const claimed = await call('claim', requests.claim(worker));
    if (!claimed || Array.isArray(claimed)) continue;
    await call('finish', requests.finish(claimed));
    return [requests.idOf(claimed)];
  }
}

/** The same with lists of 100. */
async function lists(call, requests, input, worker) {
  await call('create', requests.createList(Array(SIZE).fill(input)));
  const claimed = [];
  while (claimed.length < SIZE) {
    const some = (await call('claim', requests.claimList(worker, SIZE - claimed.length)))?.list ?? [];
    if (some.length > 0) await call('finish', requests.finishList(some));
    claimed.push(...some);
  }
  return claimed.map(requests.idOf);
}

const CYCLES = { oneTask, lists };

/**
 * So many connections, each of which goes through a cycle over and over. Says when the measuring begins and ends. Answers
 * how many tasks it finished, how long each call took, and everything that was not as it should be.
 */
async function lifeCycle({ cycle, contender, port, connections, seconds, warmup }) {
  const { requests } = CONTENDERS[contender];
  const origin = `http://127.0.0.1:${port}`;
  const input = 'x'.repeat(200);
  const times = { create: [], claim: [], finish: [] };
  const seen = new Set();
  const faults = { twice: 0, refused: {} };
  let measuring = false;
  let over = false;
  let measured = 0;
  let finished = 0;

  async function call(client, kind, { method, path, body }) {
    const start = performance.now();
    const answer = await client.request({
      method,
      path,
      body: body && JSON.stringify(body),
      headers: { ...requests.headers, ...(body ? { 'content-type': 'application/json' } : {}) },
    });
    const { data } = await answer.body.json();
    if (measuring) times[kind].push(performance.now() - start);
    if (answer.statusCode < 300) return data;
    const what = `${kind} ${answer.statusCode} ${JSON.stringify(data)}`.slice(0, 200);
    faults.refused[what] = (faults.refused[what] ?? 0) + 1;
    return undefined;
  }

  async function worker(number) {
    const client = new Client(origin, { pipelining: 1 });
    while (!over) {
      const ids = await CYCLES[cycle]((kind, request) => call(client, kind, request), requests, input, number);
      for (const id of ids) {
        if (seen.has(id)) faults.twice++;
        seen.add(id);
      }
      finished += ids.length;
      if (measuring) measured += ids.length;
    }
    await client.close();
  }

  const workers = Array.from({ length: connections }, (_, number) => worker(number));
  await pause(warmup);
  measuring = true;
  process.send({ mark: 'begin' });
  const start = performance.now();
  await pause(seconds);
  measuring = false;
  process.send({ mark: 'end' });
  const elapsed = (performance.now() - start) / 1000;
  over = true;
  await Promise.all(workers);
  return { rate: measured / elapsed, measured, finished, faults, latency: latencies(times) };
}

/** The same request over and over. */
async function gets({ path, port, connections, seconds, warmup }) {
  let done = 0;
  let over = false;
  const connectionsOver = Array.from({ length: connections }, async () => {
    const client = new Client(`http://127.0.0.1:${port}`, { pipelining: 1 });
    while (!over) {
      const answer = await client.request({ method: 'GET', path });
      await answer.body.text();
      if (answer.statusCode !== 200) throw new Error(`${path} answered ${answer.statusCode}`);
      done += 1;
    }
    await client.close();
  });
  await pause(warmup);
  const before = done;
  const start = performance.now();
  await pause(seconds);
  const rate = (done - before) / ((performance.now() - start) / 1000);
  over = true;
  await Promise.all(connectionsOver);
  return { rate };
}

const LOADS = { lifeCycle, gets };
process.on('message', async ({ kind, ...order }) => process.send(await LOADS[kind](order)));

const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

const latencies = (times) =>
  Object.fromEntries(
    Object.entries(times).map(([kind, values]) => {
      values.sort((a, b) => a - b);
      const at = (share) => values[Math.min(Math.floor(values.length * share), values.length - 1)] ?? 0;
      return [kind, { p50: at(0.5), p99: at(0.99) }];
    }),
  );
