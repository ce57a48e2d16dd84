import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Column, type DataSource, Entity, type MigrationInterface, type QueryRunner } from 'typeorm';
import { NestFactory } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Task, type TaskError, taskMigrations, TaskModule, TaskService } from '../../../src/index.js';
import { createDatabase, describeOn, ENGINES } from '../../support/databases.js';
import { type Host, PLACES, startHost, WHOLE } from '../../support/host.js';

@Entity('unique_tasks', { synchronize: false })
class UniqueTask extends Task {
  @Column({ type: 'varchar', length: 20, nullable: true })
  ticket!: string | null;
}

class AddTicket1764000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE unique_tasks ADD COLUMN ticket varchar(20)');
    await runner.query('CREATE UNIQUE INDEX unique_ticket ON unique_tasks (ticket)');
  }
  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE unique_tasks DROP COLUMN ticket');
  }
}

const settled = async (promises: Promise<unknown>[]): Promise<string[]> =>
  (await Promise.allSettled(promises)).map(({ status }) => status);

describe.each(PLACES)('many requests at once on $engine', (where) => {
  let host: Host;
  let tasks: TaskService<UniqueTask>;
  beforeAll(async () => {
    const migrations = [...taskMigrations({ table: 'unique_tasks' }), AddTicket1764000000000];
    host = await startHost({
      ...where,
      options: { entity: UniqueTask, migrate: false },
      typeorm: { migrations, migrationsRun: true },
    });
    tasks = host.tasks as TaskService<UniqueTask>;
  });
  afterAll(() => host?.close());

  const create = (ticket: string) => tasks.create({ userId: 'alice', input: ticket, ticket, status: 10 });
  const stored = () => (tasks.dataSource as DataSource).getRepository(UniqueTask).countBy({ userId: 'alice' });

  it('one that the database refuses fails alone', async () => {
    await create('taken');
    const tickets = Array.from({ length: 60 }, (_, index) => (index % 20 === 7 ? 'taken' : `ticket ${index}`));
    const outcomes = await settled(tickets.map(create));
    expect(outcomes).toEqual(tickets.map((ticket) => (ticket === 'taken' ? 'rejected' : 'fulfilled')));
    expect(await stored()).toBe(1 + 57);
  });

  it('each claim gets tasks of its own, and each report is about its own', async () => {
    const claims = await Promise.all(
      Array.from({ length: 70 }, (_, index) =>
        tasks.claim({ service: 'default', workerId: `w${index}`, lease: 60 + (index % 3) }),
      ),
    );
    const got = claims.flat();
    expect(new Set(got.map(({ taskId }) => taskId)).size).toBe(58);
    expect(got).toHaveLength(58);
    for (const [index, [task]] of claims.entries())
      if (task) expect([task.workerId, task.leaseSeconds]).toEqual([`w${index}`, 60 + (index % 3)]);
    const reports = got.map(({ taskId, leaseToken }, index) =>
      tasks.report(taskId, { leaseToken: index % 9 === 4 ? 'wrong' : leaseToken!, status: 30, output: `out ${index}` }),
    );
    const failures = (await Promise.allSettled(reports)).map((result, index) => {
      if (result.status === 'rejected') return (result.reason as TaskError).errorName;
      return result.value.output === `out ${index}` ? 'finished' : 'mixed up';
    });
    expect(failures).toEqual(got.map((_, index) => (index % 9 === 4 ? 'LEASE_LOST' : 'finished')));
    for (const [index, { taskId }] of got.entries())
      expect((await tasks.get(taskId)).output).toBe(index % 9 === 4 ? null : `out ${index}`);
  });

  it('what is answered is what is stored', async () => {
    const created = await Promise.all([create('a1'), create('a2'), create('a3')]);
    for (const task of created) expect(await tasks.get(task.taskId)).toEqual(task);
    const claimed = (await Promise.all([tasks.claim(), tasks.claim({ lease: 77 }), tasks.claim({ limit: 5 })])).flat();
    expect(claimed).toHaveLength(3);
    for (const task of claimed) expect(await tasks.get(task.taskId)).toEqual(task);
    const [first, second, third] = claimed.map(({ taskId, leaseToken }) => ({ taskId, leaseToken: leaseToken! }));
    const reported = await Promise.all([
      tasks.report(first!.taskId, { ...first, progress: 40, temp: 'half' }),
      tasks.report(second!.taskId, { ...second, status: -10, error: 'no', retry: true, delay: 60 }),
      tasks.report(third!.taskId, { ...third, status: 30, output: 'out' }),
    ]);
    for (const task of reported) expect(await tasks.get(task.taskId)).toEqual(task);
  });

  it('two reports on one task count one after the other', async () => {
    await create('twice');
    const [task] = await tasks.claim({ lease: 60 });
    const report = (progress: number) => tasks.report(task!.taskId, { leaseToken: task!.leaseToken!, progress });
    const answers = await Promise.all([report(10), report(20), report(30)]);
    expect(answers.map(({ progress }) => progress)).toEqual([10, 20, 30]);
    expect((await tasks.get(task!.taskId)).progress).toBe(30);
  });
});

describeOn('mysql', 'postgres')('a row that somebody keeps locked, on %s', (engine) => {
  let host: Host;
  beforeAll(async () => {
    host = await startHost({ engine, adapter: 'fastify' });
  });
  afterAll(() => host?.close());

  it('holds up its own report, and no other', async () => {
    const { tasks } = host;
    const given = Array.from({ length: 30 }, () => ({ userId: 'alice', input: 'in', status: 10 }));
    await tasks.createMany(given);
    const claimed = await tasks.claim({ limit: 30 });
    const runner = tasks.dataSource.createQueryRunner();
    await runner.startTransaction();
    const held = claimed[4]!.taskId;
    await runner.query(`UPDATE tasks SET args = 'mine' WHERE id = '${held}'`);
    const over: string[] = [];
    const reports = claimed.map(async ({ taskId, leaseToken }) => {
      await tasks.report(taskId, { leaseToken: leaseToken!, status: 30 });
      over.push(taskId);
    });
    await Promise.all(reports.filter((_, index) => index !== 4));
    expect(over).not.toContain(held);
    await runner.commitTransaction();
    await runner.release();
    await Promise.all(reports);
    expect(await tasks.get(held)).toMatchObject({ status: 30, args: 'mine' });
  });
});

// The bound is the queue's own, and 50,000 rows take their time: on each engine in `npm run test:all`.
describe.each(WHOLE ? ENGINES : ENGINES.slice(0, 1))('a database that has stopped answering, on %s', (engine) => {
  it('lets so much wait, and no more: 429, and nothing is lost', async () => {
    const host = await startHost({ engine, adapter: 'express' });
    const { tasks } = host;
    const many = Array.from({ length: 1000 }, () => ({ userId: 'alice', input: 'in' }));
    const outcomes = await Promise.allSettled(Array.from({ length: 60 }, () => tasks.createMany(many)));
    const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as TaskError] : []));
    expect(refused).toHaveLength(10);
    expect(new Set(refused.map(({ errorName }) => errorName))).toEqual(new Set(['TOO_MANY_REQUESTS']));
    expect(await tasks.counts()).toEqual([{ service: 'default', status: 0, count: 50_000 }]);
    await host.close();
  });
});

describe.each(ENGINES)('a queue that has stopped, on %s', (engine) => {
  it('is not there for now, and harms the process in nothing', async () => {
    const host = await startHost({ engine, adapter: 'express' });
    const { tasks } = host;
    await host.close();
    const late = [
      tasks.create({ userId: 'alice', input: 'in' }),
      tasks.list({ userId: 'alice' }),
      tasks.claim({ service: 'x' }),
    ];
    for (const outcome of await Promise.allSettled(late))
      expect(outcome).toMatchObject({ status: 'rejected', reason: { errorName: 'UNAVAILABLE' } });
  });
});

describe.each(ENGINES)('an application context, without HTTP, on %s', (engine) => {
  it('has the queue all the same', async () => {
    const database = await createDatabase(engine);
    class CommandModule {}
    const module = {
      module: CommandModule,
      imports: [TypeOrmModule.forRoot({ ...database.options(), autoLoadEntities: true }), TaskModule.forRoot({})],
    };
    const app = await NestFactory.createApplicationContext(module, { logger: ['error'] });
    const tasks = app.get(TaskService);
    await tasks.create({ userId: 'alice', input: 'in', status: 10 });
    expect(await tasks.claim({ workerId: 'command' })).toHaveLength(1);
    await app.close();
    await database.drop();
  });
});
