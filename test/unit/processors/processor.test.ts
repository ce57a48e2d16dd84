import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Injectable, type Provider, Scope } from '@nestjs/common';
import {
  InjectTaskService,
  Process,
  type ProcessContext,
  RetryLater,
  Task,
  TaskError,
  TaskModule,
  TaskOptionsError,
  TaskProcessor,
  type TaskService,
  TaskStopped,
  UnrecoverableError,
} from '../../../src/index.js';
import { borrowDatabase, giveBack } from '../../support/database-pool.js';
import type { TestDatabase } from '../../support/databases.js';
import { type Host, spread, startHost } from '../../support/host.js';
import { until } from '../../support/until.js';
import { pause, processor, withProviders } from './fixtures/processors.js';

@Injectable()
class Codec {
  encode(text: string): string {
    return text.toUpperCase();
  }
}

@TaskProcessor('transcode', { concurrency: 2 })
class Transcoder {
  static most = 0;
  private now = 0;

  constructor(private readonly codec: Codec) {}

  @Process()
  async process({ task, checkpoint, progress }: ProcessContext): Promise<string> {
    Transcoder.most = Math.max(Transcoder.most, ++this.now);
    await pause(50);
    this.now -= 1;
    progress(50, `half of ${task.userId}'s`);
    if (task.attempts === 1 && task.args === 'twice') throw new RetryLater(0);
    return `${this.codec.encode(task.input!)}, ${checkpoint || 'at once'}`;
  }
}

/** Overrides the work without decorating it again. */
@TaskProcessor('shouted')
class LoudTranscoder extends Transcoder {
  override async process(context: ProcessContext): Promise<string> {
    return `${await super.process(context)}!`;
  }
}

describe.each(spread(import.meta))('processors in the host, on $engine with $adapter', ({ engine, adapter }) => {
  let host: Host;
  let other: TaskService;
  let signal: AbortSignal | undefined;
  let silent: AbortSignal | undefined;
  const ended = (taskId: string, tasks = host.tasks) =>
    until('the end', async () => [30, -10, -20].includes((await tasks.get(taskId)).status)).then(() =>
      tasks.get(taskId),
    );
  const create = (service: string, more: object = {}, tasks = host.tasks) =>
    tasks.create({ userId: 'alice', input: 'in', service, status: tasks.status.BEGIN, ...more });

  class Holder {
    constructor(@InjectTaskService('other') readonly tasks: TaskService) {}
  }
  beforeAll(async () => {
    const uris = { postTaskUri: '/o', getTaskListUri: '/o', deleteTaskUri: '/o', getTaskUri: '/o/{taskId}' };
    const cron = { putTaskUri: '/o/{taskId}', getCronTaskUri: '/oc', putCronTaskUri: '/oc/{taskId}', cronGuards: [] };
    host = await startHost({
      engine,
      adapter,
      imports: [
        TaskModule.forRoot({ name: 'other', table: 'others', ...uris, ...cron, workerTokens: ['w'.repeat(16)] }),
        withProviders(
          Codec,
          Transcoder,
          { provide: 'alias', useExisting: Transcoder },
          LoudTranscoder,
          { provide: Holder, useFactory: (tasks: TaskService) => new Holder(tasks), inject: ['TaskService:other'] },
          processor('final', () => Promise.reject(new UnrecoverableError('no such codec'))),
          processor('grouped', () => 'of the group', { group: 'gpu' }),
          processor('transcode', () => 'of the other', { name: 'other' }),
          processor(
            'silent',
            async (context) => {
              silent = context.signal;
              await new Promise((resolve) => silent!.addEventListener('abort', resolve));
            },
            { lease: 3 },
          ),
          processor('long', async (context) => {
            signal = context.signal;
            for (let step = 0; !signal.aborted; step++) {
              context.progress(step % 100);
              await pause(20);
            }
            throw signal.reason;
          }),
        ),
      ],
    });
    other = host.app.get(Holder).tasks;
  });
  afterAll(() => host?.close());

  it('work what comes, with what they inject, so many at once as they may', async () => {
    const made = await Promise.all(
      Array.from({ length: 6 }, (_, index) => create('transcode', { input: `in ${index}` })),
    );
    for (const [index, { taskId }] of made.entries())
      expect(await ended(taskId)).toMatchObject({
        status: 30,
        output: `IN ${index}, at once`,
        temp: "half of alice's",
        workerId: expect.stringContaining('Transcoder@'),
      });
    expect(Transcoder.most).toBe(2);
  });

  it('go on from the checkpoint', async () => {
    const { taskId } = await create('transcode', { args: 'twice' });
    expect(await ended(taskId)).toMatchObject({ status: 30, attempts: 2, output: "IN, half of alice's" });
  });

  it('may override an inherited method', async () => {
    const { taskId } = await create('shouted');
    expect(await ended(taskId)).toMatchObject({ status: 30, output: 'IN, at once!' });
  });

  it('fail for good where it is no use to go on', async () => {
    const { taskId } = await create('final');
    expect(await ended(taskId)).toMatchObject({ status: -10, error: 'no such codec', attempts: 1 });
  });

  it('keep to their group', async () => {
    const [outside, inside] = [await create('grouped'), await create('grouped', { group: 'gpu' })];
    expect(await ended(inside.taskId)).toMatchObject({ output: 'of the group' });
    expect(await host.tasks.get(outside.taskId)).toMatchObject({ status: 10 });
  });

  it('say an end again that had to wait its turn', async () => {
    const report = host.tasks.report.bind(host.tasks);
    let asked = 0;
    host.tasks.report = async (...said) => {
      if (asked++ === 0) throw new TaskError('TOO_MANY_REQUESTS');
      return report(...said);
    };
    const { taskId } = await create('grouped', { group: 'gpu' });
    const task = await ended(taskId);
    host.tasks.report = report;
    expect(asked).toBe(2);
    expect(task).toMatchObject({ status: 30, output: 'of the group', attempts: 1 });
  });

  it('work for the registration that they name', async () => {
    const { taskId } = await create('transcode', {}, other);
    expect(await ended(taskId, other)).toMatchObject({ status: 30, output: 'of the other' });
  });

  it('hold the leases of silent ones, and tell them of a cancel within a heartbeat', async () => {
    const { taskId } = await create('silent');
    await until('it runs', () => silent);
    // More than a lease, and what the sweeper and the worker itself wait for.
    await pause(6500);
    expect(silent!.aborted).toBe(false);
    expect(await host.tasks.get(taskId)).toMatchObject({ status: 20, attempts: 1 });
    await host.tasks.cancel(taskId);
    await until('the signal', () => silent!.aborted);
    expect(silent!.reason).toMatchObject({ reason: 'cancelled' });
  });

  it('tell a handler that its lease has run out while nobody answered', async () => {
    silent = undefined;
    const { taskId } = await create('silent');
    // Its next attempt may begin at once.
    const held = await until('it runs', () => silent);
    const report = host.tasks.report.bind(host.tasks);
    host.tasks.report = () => Promise.reject(new Error('the database is away'));
    await until('the signal', () => held.aborted).finally(() => (host.tasks.report = report));
    expect(held.reason).toMatchObject({ reason: 'lost' });
    await host.tasks.cancel(taskId);
  });

  it('hear of a cancel with their next report', async () => {
    const { taskId } = await create('long');
    await until('it runs', () => signal);
    await host.tasks.cancel(taskId);
    await until('the signal', () => signal!.aborted);
    expect(signal!.reason).toBeInstanceOf(TaskStopped);
    expect(signal!.reason).toMatchObject({ reason: 'cancelled' });
  });
});

describe.each(spread(import.meta))('a host that stops, on $engine with $adapter', ({ engine, adapter }) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await borrowDatabase(engine);
  });
  afterAll(() => giveBack(database));

  it('lets its processors finish, claims no more, and gives the rest back before the queue closes', async () => {
    let started = 0;
    const tasksOf: { host?: Host } = {};
    const brief = processor('brief', async ({ task }) => {
      started += 1;
      await pause(400);
      // The host's own data source is still there.
      return String(await tasksOf.host!.tasks.dataSource.getRepository(Task).countBy({ taskId: task.taskId }));
    });
    const endless = processor(
      'endless',
      async ({ progress }) => {
        started += 1;
        progress(10, 'seen');
        progress(40, 'frame 400');
        await new Promise(() => undefined);
      },
      { shutdownTimeout: 0.1 },
    );
    const host = await startHost({ engine, adapter, database, imports: [withProviders(brief, endless)] });
    tasksOf.host = host;
    const create = (service: string) => host.tasks.create({ userId: 'alice', input: 'in', service, status: 10 });
    const [first, second, third] = [await create('brief'), await create('endless'), await create('brief')];
    await until('both run', () => started === 2);
    await host.close();
    const later = await startHost({ engine, adapter, database });
    const seen = await Promise.all([first, second, third].map(({ taskId }) => later.tasks.get(taskId)));
    await later.close();
    expect(seen).toMatchObject([
      { status: 30, output: '1' },
      { status: 10, attempts: 0, temp: 'frame 400', progress: 40 },
      { status: 10, attempts: 0 },
    ]);
    expect(started).toBe(2);
  });
});

describe('a processor that can not work stops the start, and says why', () => {
  @TaskProcessor('x')
  class Idle {}

  @TaskProcessor('x')
  class Twofold {
    @Process()
    one(): void {}
    @Process()
    two(): void {}
  }

  @TaskProcessor('x')
  class Unrun {
    @Process()
    async *work(): AsyncGenerator<string> {
      yield await Promise.resolve('never');
    }
  }

  class Undecorated {
    @Process()
    work(): void {}
  }
  const [Strange, Nameless, Greedy, Odd] = [
    processor('x', () => undefined, { name: 'video' }),
    processor('', () => undefined),
    processor('x', () => undefined, { concurrency: 0 }),
    processor('x', () => undefined, { lease: 10, heartbeat: 9 }),
  ];

  it.each<[Provider, string]>([
    [Idle, 'Idle: has no method with @Process(); it needs exactly one'],
    [Twofold, 'Twofold: has 2 methods with @Process(); it needs exactly one'],
    [Unrun, 'Unrun: work() with @Process() is a generator function'],
    [Undecorated, "Undecorated: has @Process(), but no @TaskProcessor('…')"],
    [Strange!, "Worker: names registration 'video', which does not exist; the registrations are 'default'"],
    [Nameless!, 'Worker: service must not be empty'],
    [Greedy!, 'Worker: concurrency must be an integer from 1 to 1000, not 0'],
    [Odd!, 'Worker: heartbeat must be at most half of the lease, 5 s'],
    [
      { provide: Strange!, useClass: processor('x', () => undefined), scope: Scope.REQUEST },
      'Worker: has a scope other than the default',
    ],
  ])('%p', async (provider, message) => {
    const start = startHost({ engine: 'sqlite', adapter: 'express', imports: [withProviders(provider)] });
    const error = await start.then(
      () => undefined,
      (reason: unknown) => reason as TaskOptionsError,
    );
    expect(error).toBeInstanceOf(TaskOptionsError);
    expect(error!.message).toContain(message);
  });
});
