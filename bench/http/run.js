import { fork } from 'node:child_process';
import { once } from 'node:events';
import { CONTENDERS } from '../contenders/index.js';
import { cpuTimes, perTask } from '../cpu-time.js';

const file = (name) => new URL(name, import.meta.url);

/** Starts a server for `work`, which is given its port. */
async function withServer(contenders, url, work) {
  const server = fork(file('server.js'), [contenders, url]);
  const [first] = await Promise.race([once(server, 'message'), once(server, 'exit')]);
  if (!first?.port) throw new Error(`the server of ${contenders} did not start`);
  try {
    return await work(first.port, server.pid);
  } finally {
    server.send('close');
    await once(server, 'exit');
  }
}

async function load(order, marked = () => undefined) {
  const client = fork(file('load.js'));
  client.send(order);
  const result = await new Promise((resolve) => {
    client.on('message', (message) => (message.mark ? marked(message.mark, client.pid) : resolve(message)));
    client.once('exit', () => resolve(undefined));
  });
  if (client.connected) client.disconnect();
  if (!result) throw new Error('the load client failed');
  return result;
}

/**
 * One run of a cycle over HTTP, with the processor time of a task. Throws where a task was handed out twice, lost, not
 * finished, or refused. `kind`: of the database.
 */
export async function lifeCycle({ contender, kind, url, cycle = 'oneTask', connections = 64, seconds, warmup = 1 }) {
  const { counts } = CONTENDERS[contender];
  const before = await counts(url).catch(() => ({ finished: 0, all: 0 }));
  const marks = {};
  const result = await withServer(contender, url, (port, server) =>
    load({ kind: 'lifeCycle', cycle, contender, port, connections, seconds, warmup }, (mark, client) => {
      marks[mark] = cpuTimes({ node: [server], database: kind, client: [client] });
    }),
  );
  const after = await counts(url);
  const finished = after.finished - before.finished;
  const created = after.all - before.all;
  const { twice, refused } = result.faults;
  if (twice > 0 || Object.keys(refused).length > 0 || finished !== result.finished || created !== result.finished)
    throw new Error(`${contender}: ${JSON.stringify({ ...result.faults, finished, created, seen: result.finished })}`);
  return { ...result, cpu: perTask(marks.begin, marks.end, result.measured) };
}

/** Requests per second of GETs on one server, in turn. */
export const gets = ({ contenders, url, paths, connections = 64, seconds, warmup = 1 }) =>
  withServer(contenders, url, async (port) => {
    const rates = [];
    for (const path of paths) rates.push((await load({ kind: 'gets', path, port, connections, seconds, warmup })).rate);
    return rates;
  });
