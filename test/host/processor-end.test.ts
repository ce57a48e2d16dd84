import { describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { TaskApiError } from '../../src/client/index.js';
import { getTaskServiceToken, type ProcessContext, TaskModule, type TaskService } from '../../src/index.js';
import { startHost } from '../support/host.js';
import { until } from '../support/until.js';
import { pause, processor, withProviders } from './processors.js';

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
  expect(said.mock.calls).toEqual([['works no more: TaskApiError: no']]);
  said.mockRestore();
});

it('a claim that never ends, of a silent database say, does not keep the host', async () => {
  let claims = 0;
  const silent = {
    provide: 'silent',
    useFactory: (tasks: TaskService) =>
      Object.assign(tasks, {
        claim: () => {
          claims += 1;
          return new Promise(() => undefined);
        },
      }),
    inject: [getTaskServiceToken()],
  };
  const imports = [
    withProviders(
      silent,
      processor('work', () => undefined),
    ),
  ];
  const host = await startHost({ engine: 'sqlite', adapter: 'express', imports });
  await until('a claim', () => claims > 0);
  const before = performance.now();
  await host.close();
  expect(performance.now() - before).toBeLessThan(8000);
});

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
