import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { STATUS, type Task, TaskClient } from '@softdd/task/client';
import { Processes, saidBy } from './processes.js';
import { type Receiver, startReceiver } from './receiver.js';
import { openScreen } from './screen.js';

/**
 * `npm run demo`: a server, a worker in TypeScript and one in Python; tasks that a user creates and watches; one is
 * cancelled, one worker is killed, and its tasks go on where it was; a receiver hears of each end. `-- --short` for less
 * of it.
 */
const short = process.argv.includes('--short');
const STORY = short ? { tasks: 2, frames: 8, pause: 100 } : { tasks: 5, frames: 40, pause: 120 };

const folder = mkdtempSync(join(tmpdir(), 'softdd-task-demo-'));
const WORKER_TOKEN = randomBytes(16).toString('hex');
const processes = new Processes(folder, {
  PORT: '0',
  WORKER_TOKEN,
  TASK_WORKER_TOKENS: WORKER_TOKEN,
  TASK_JWT_SECRET: randomBytes(32).toString('hex'),
  DATABASE_URL: `sqlite:${join(folder, 'demo.sqlite')}`,
});
const screen = openScreen();
const node = process.execPath;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** The last look at the tasks; `act` is called with each look, for what happens in between. */
async function watch(user: TaskClient, ids: string[], act: (tasks: Task[]) => Promise<void>): Promise<Task[]> {
  for (;;) {
    const { list } = await user.list({ ids });
    const tasks = ids.map((id) => list.find(({ taskId }) => taskId === id)!);
    screen.show(tasks);
    if (tasks.every(({ finishedAt }) => finishedAt !== null)) return tasks;
    await act(tasks);
    await pause(150);
  }
}

const SECRET = `whsec_${randomBytes(32).toString('base64')}`;
const heard = new Map<string, string>();
let receiver: Receiver | undefined;

async function tell(): Promise<void> {
  receiver = await startReceiver(SECRET, (type, { taskId }) => heard.set(taskId, type));
  const server = processes.start(node, ['dist/src/main.js'], {
    TASK_CALLBACK_URL: receiver.url,
    TASK_CALLBACK_SECRET: SECRET,
  });
  const baseUrl = await saidBy(server, /listening on (http:\/\/[^\s,"]+)/);
  const token = await saidBy(processes.start(node, ['dist/src/cli.js', 'token', 'alice']), /(\S+)\n/);
  screen.say(`The server listens on ${baseUrl}.`);

  const startWorker = () => processes.start(node, ['dist/examples/demo/worker.js'], { TASK_URL: baseUrl });
  let worker = startWorker();
  processes.start('python3', ['examples/demo/worker.py'], { TASK_URL: baseUrl });
  screen.say('A worker in TypeScript transcodes, one in Python writes captions.');

  const user = new TaskClient({ baseUrl, token });
  const { tasks, frames, pause: ms } = STORY;
  const made = await user.createMany(
    Array.from({ length: 2 * tasks }, (_, index) => ({
      input: `film${1 + (index >> 1)}.mov`,
      service: index % 2 === 0 ? 'transcode' : 'caption',
      // The second one fails at first; the last one is so long that the user loses patience.
      args: JSON.stringify({ frames: index === 2 * tasks - 1 ? 9 * frames : frames, pause: ms, flaky: index === 1 }),
      status: STATUS.BEGIN,
    })),
  );
  const last = made.at(-1)!.taskId;
  const ids = made.map(({ taskId }) => taskId);

  let [cancelled, killed] = [false, short];
  const ended = await watch(user, ids, async (seen) => {
    if (!cancelled && seen.at(-1)!.progress > 0) {
      cancelled = true;
      await user.cancel(last);
      screen.say('The user has cancelled the last one.');
    }
    if (!killed && seen[0]!.progress >= 50) {
      killed = true;
      await processes.stop(worker, 'SIGKILL');
      worker = startWorker();
      screen.say('The worker in TypeScript was killed with kill -9; another is there.');
    }
  });
  const count = (status: number): number => ended.filter((task) => task.status === status).length;
  const again = ended.filter(({ attempt }) => attempt > 1).length;
  for (let waits = 0; heard.size < ended.length && waits < 200; waits++) await pause(50);
  screen.end();
  const told = [...new Set(heard.values())].sort();
  console.log(`The receiver heard of ${heard.size} ends, each signed: ${told.join(', ')}.`);
  console.log(
    `${count(STATUS.FINISHED)} of ${ended.length} tasks finished, ${count(STATUS.CANCELLED)} cancelled, ` +
      `${count(STATUS.ERROR)} failed; ${again} took more than one attempt.`,
  );
}

/** Ctrl-C ends the demo as its own end does. */
const interrupted = new Promise<never>((_, end) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => end(new Error(`${signal}: the end`)));
});

let failure: Error | undefined;
try {
  await Promise.race([tell(), processes.failed, interrupted]);
} catch (error) {
  failure = error as Error;
} finally {
  screen.end();
  await processes.stopAll();
  receiver?.close();
  rmSync(folder, { recursive: true, force: true });
}
if (failure) {
  console.error(failure.message);
  // The story may still be waiting for something.
  process.exit(1);
}
