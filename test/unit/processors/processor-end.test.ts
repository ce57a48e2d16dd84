import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import type { DataSourceOptions } from 'typeorm';
import { TaskApiError } from '../../../src/client/index.js';
import { getTaskServiceToken, type ProcessContext, TaskModule, type TaskService } from '../../../src/index.js';
import { Processors } from '../../../src/processors/processors.js';
import { borrowDatabase, giveBack } from '../../support/database-pool.js';
import { describeOn } from '../../support/databases.js';
import { startHost } from '../../support/host.js';
import { until } from '../../support/until.js';
import { pause, processor, withProviders } from './fixtures/processors.js';

it('a processor that works no more says so, and the host goes on', async () => {
  const said = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
  const broken = {
    provide: 'broken',
    useFactory: (tasks: TaskService) =>
      Object.assign(tasks, { claim: () => Promise.reject(new TaskApiError('no', { code: 1, httpStatus: 400 })) }),
    inject: [getTaskServiceToken()],
  };
  const imports = [
    withProviders(
      broken,
      processor('work', () => undefined),
    ),
  ];
  const host = await startHost({ engine: 'sqlite', adapter: 'express', imports });
  await until('a word', () => said.mock.calls.length > 0);
  await host.close();
  expect(said.mock.calls).toEqual([['has stopped working: TaskApiError: no', expect.stringMatching(/^ +at /)]]);
  said.mockRestore();
});

it('what a processor throws is logged with its stack, and kept in the error of the task', async () => {
  const said = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
  const decode = (): never => {
    throw new RangeError('frame 7');
  };
  const imports = [withProviders(processor('work', decode), processor('curt', decode, { traceback: false }))];
  const host = await startHost({ engine: 'sqlite', adapter: 'express', imports });
  const errors: (string | null)[] = [];
  for (const service of ['work', 'curt']) {
    const task = { userId: 'alice', input: 'in', service, status: 10, maxAttempts: 1 };
    const { taskId } = await host.tasks.create(task);
    await until('the end', async () => (await host.tasks.get(taskId)).status === -10);
    errors.push((await host.tasks.get(taskId)).error);
  }
  await host.close();
  // Beside the queue's own line for each task that fails for good.
  const lines = said.mock.calls.map(([line]) => String(line)).filter((line) => !line.startsWith('task "'));
  said.mockRestore();
  expect(errors).toEqual([expect.stringMatching(/^RangeError: frame 7\n +at decode /), 'RangeError: frame 7']);
  expect(lines).toEqual([0, 1].map(() => expect.stringMatching(/failed: RangeError: frame 7\n +at decode /)));
});

describeOn('mysql', 'postgres')('a processor whose %s falls silent', (engine) => {
  it('hears that its lease has run out, and stops in time, though its claim never ends', async () => {
    const database = await borrowDatabase(engine);
    const line = await openLine(new URL(database.url));
    const { signals, imports } = awaiting();
    const host = await startHost({
      engine,
      adapter: 'express',
      database: { ...database, options: () => ({ ...database.options(), url: line.url }) as DataSourceOptions },
      imports,
    });
    await host.tasks.create({ userId: 'alice', input: 'in', service: 'work', status: 10 });
    await until('it is at work', () => signals.length > 0);
    line.silent = true;
    await until('the signal', () => signals[0]!.aborted);
    expect(signals[0]!.reason).toMatchObject({ reason: 'lost' });
    // Its place is free: it claims, and never hears.
    await pause(200);
    const before = performance.now();
    await host.app.get(Processors, { strict: false }).close();
    // What a claim under way and last words may take.
    expect(performance.now() - before).toBeLessThan(40_000);
    line.silent = false;
    line.cut();
    await host.close();
    line.close();
    await giveBack(database);
  });
});

/** A processor that is at work until it is told to stop. */
function awaiting() {
  const signals: AbortSignal[] = [];
  const work = async ({ signal }: ProcessContext): Promise<void> => {
    signals.push(signal);
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
  };
  return { signals, imports: [withProviders(processor('work', work, { lease: 3 }))] };
}

/** A line to a database that may fall silent: bytes vanish, and connections stay. */
async function openLine({ protocol, hostname, port, pathname, username, password }: URL) {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on('data', (bytes) => line.silent || to.write(bytes));
      from.on('error', () => to.destroy()).on('close', () => to.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const credentials = username && `${username}${password && `:${password}`}@`;
  const line = {
    silent: false,
    url: `${protocol}//${credentials}127.0.0.1:${(server.address() as AddressInfo).port}${pathname}`,
    cut: () => sockets.forEach((socket) => socket.destroy()),
    close: () => void server.close(),
  };
  return line;
}

describe('a host of two registrations that stops', () => {
  it.each(['default', 'other'])('has the processors of both claim no more, though those of %s drain', async (slow) => {
    const started: string[] = [];
    const work = async ({ task }: ProcessContext): Promise<void> => {
      started.push(task.input!);
      await pause(task.input === 'slow' ? 800 : 100);
    };
    const uris = { postTaskUri: '/o', getTaskListUri: '/o', deleteTaskUri: '/o', getTaskUri: '/o/{taskId}' };
    const cron = { putTaskUri: '/o/{taskId}', getCronTaskUri: '/oc', putCronTaskUri: '/oc/{taskId}', cronGuards: [] };
    let other: TaskService | undefined;
    const holder = {
      provide: 'holder',
      useFactory: (tasks: TaskService) => (other = tasks),
      inject: ['TaskService:other'],
    };
    const host = await startHost({
      engine: 'sqlite',
      adapter: 'express',
      imports: [
        TaskModule.forRoot({ name: 'other', table: 'others', ...uris, ...cron, workerTokens: ['w'.repeat(16)] }),
        withProviders(holder, processor('work', work), processor('work', work, { name: 'other' })),
      ],
    });
    const create = (tasks: TaskService, input: string) =>
      tasks.create({ userId: 'alice', input, service: 'work', status: 10 });
    const [one, two] = slow === 'default' ? [host.tasks, other!] : [other!, host.tasks];
    await create(one, 'slow');
    for (let index = 0; index < 5; index++) await create(two, `quick ${index}`);
    await until('both work', () => started.includes('slow') && started.length >= 2);
    const before = started.length;
    await host.close();
    // One may have begun as it was told to stop.
    expect(started.length - before).toBeLessThanOrEqual(1);
  });
});
