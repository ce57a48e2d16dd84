import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SwaggerModule } from '@nestjs/swagger';
import {
  type CreateTaskDto,
  TaskController,
  type TaskJson,
  TaskModule,
  type TaskModuleOptions,
} from '../../../src/index.js';
import { dataOf, expectFailure } from '../../support/answers.js';
import { ADAPTERS, type Host, startHost } from '../../support/host.js';

/** Rules of a host's own: who pays is served first. */
class PayingFirst extends TaskController {
  override async create(userId: string, body: CreateTaskDto): Promise<TaskJson> {
    return super.create(userId, userId === 'payer' ? { ...body, priority: -100 } : body);
  }
}

const VALUES = [-32_769, -32_768, -101, -100, -1, 0, 1, 100, 101, 32_767, 32_768];
const shownBy = ({ app }: Host) =>
  (SwaggerModule.createDocument(app, {} as never).components!.schemas as Record<string, any>).createTask.properties
    .priority;

describe.each(ADAPTERS)('priorities of users, with %s', (adapter) => {
  const cases: {
    what: string;
    options: TaskModuleOptions;
    min: number;
    max: number;
    shown: object;
    isAsync?: boolean;
  }[] = [
    { what: 'by default', options: {}, min: 0, max: 32_767, shown: { minimum: 0, maximum: 32_767, default: 0 } },
    {
      what: 'in a range of the host',
      options: { userPriority: { min: -100, max: 100 } },
      ...{ min: -100, max: 100, shown: { minimum: -100, maximum: 100, default: 0 } },
    },
    {
      what: 'in a range from a factory',
      options: { userPriority: { max: 100 } },
      ...{ min: 0, max: 100, isAsync: true },
      shown: { minimum: -32_768, maximum: 32_767 },
    },
  ];
  describe.each(cases)('$what', ({ options, min, max, shown, isAsync }) => {
    let host: Host;
    beforeAll(async () => {
      host = await startHost({
        engine: 'sqlite',
        adapter,
        options: { controller: PayingFirst, ...options },
        ...(isAsync && {
          register: ({ guards, workerTokens, controller, ...values }) =>
            TaskModule.forRootAsync({
              guards: guards!,
              controller: controller!,
              useFactory: () => ({ workerTokens: workerTokens!, ...values }),
            }),
        }),
      });
    });
    afterAll(() => host?.close());
    const create = (json: unknown, user = 'alice') => host.user(user, 'POST', '/api/tasks', { json });

    it('are held to it, said in JSON or in a form', async () => {
      for (const priority of VALUES) {
        const rule = priority < min ? 'min' : priority > max ? 'max' : undefined;
        const answers = [
          await create({ input: 'in', priority }),
          await create({ input: 'in', priority: String(priority) }),
          await host.user('alice', 'POST', '/api/tasks', { form: { input: 'in', priority: String(priority) } }),
          await host.user('alice', 'POST', '/api/tasks', { multipart: { input: 'in', priority: String(priority) } }),
          await host.user('alice', 'POST', '/api/tasks', { json: { input: 'in' }, query: { priority } }),
        ];
        for (const answer of answers)
          if (rule) expectFailure(answer, 'INVALID_PARAM', ['priority', rule]);
          else expect(dataOf(answer).priority).toBe(priority);
      }
      expectFailure(await create({ input: 'in', priority: 'x' }), 'INVALID_PARAM', ['priority', 'isInt']);
      expectFailure(await create({ input: 'in', priority: -1.5 }), 'INVALID_PARAM', ['priority', 'isInt']);
    });

    it('are as the host says where the host says them', async () => {
      expect(dataOf(await create({ input: 'in', priority: 5 }, 'payer')).priority).toBe(-100);
      expectFailure(await create({ input: 'in', priority: min - 1 }, 'payer'), 'INVALID_PARAM', ['priority', 'min']);
      for (const priority of [-32_768, 32_767])
        expect(await host.tasks.create({ userId: 'alice', input: 'in', priority })).toMatchObject({ priority });
    });

    it('are documented', () => {
      expect(shownBy(host)).toMatchObject(shown);
    });
  });

  it('in a list are named by their place', async () => {
    const host = await startHost({ engine: 'sqlite', adapter });
    const create = (priorities: number[]) =>
      host.user('alice', 'POST', '/api/tasks', { json: priorities.map((priority) => ({ input: 'in', priority })) });
    expectFailure(await create([-1]), 'INVALID_PARAM', ['[0].priority', 'min']);
    expectFailure(await create([0, -1, 5, -2]), 'INVALID_PARAM', ['[1].priority', 'min'], ['[3].priority', 'min']);
    expect(dataOf(await create([0, 5])).list.map(({ priority }: TaskJson) => priority)).toEqual([0, 5]);
    await host.close();
  });
});
