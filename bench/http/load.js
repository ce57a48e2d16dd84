import { Client } from 'undici';
import { CONTENDERS } from '../contenders/index.js';

/**
 * So many connections, each of which creates a task, claims one and finishes it, over and over.
 * Answers how many it finished, how long each call took, and everything that was not as it should be.
 */
async function lifeCycle({ contender, port, connections, seconds, warmup }) {
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
      headers: body ? { 'content-type': 'application/json' } : {},
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
      await call(client, 'create', requests.create(input));
      for (let claimed; !claimed;) {
        const data = await call(client, 'claim', requests.claim(number));
        if (!data || Array.isArray(data)) continue;
        claimed = data;
        const id = requests.idOf(claimed);
        if (seen.has(id)) faults.twice++;
        seen.add(id);
        await call(client, 'finish', requests.finish(claimed));
      }
      finished++;
      if (measuring) measured++;
    }
    await client.close();
  }

  const workers = Array.from({ length: connections }, (_, number) => worker(number));
  await pause(warmup);
  measuring = true;
  const start = performance.now();
  await pause(seconds);
  measuring = false;
  const elapsed = (performance.now() - start) / 1000;
  over = true;
  await Promise.all(workers);
  return { rate: measured / elapsed, finished, faults, latency: latencies(times) };
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
