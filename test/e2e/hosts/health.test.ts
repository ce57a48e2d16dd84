import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get } from '@nestjs/common';
import { HealthCheck, HealthCheckService, TerminusModule } from '@nestjs/terminus';
import { TaskHealthIndicator, TaskModule } from '../../../src/index.js';
import { type Answer, call } from '../../support/http.js';
import { type Host, PLACES, startHost } from '../../support/host.js';
import { until } from '../../support/until.js';

@Controller('health')
class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly queue: TaskHealthIndicator,
  ) {}

  @Get()
  @HealthCheck()
  async check(): Promise<unknown> {
    return this.health.check([() => this.queue.isHealthy(), () => this.queue.isHealthy('queue')]);
  }
}

class HealthModule {}
const health = {
  module: HealthModule,
  imports: [TerminusModule.forRoot({ logger: false })],
  providers: [TaskHealthIndicator],
  controllers: [HealthController],
};
const OK = { database: 'ok', schema: 'ok', process: 'ok' };

describe.each(PLACES)('the health of a host on $engine with $adapter', ({ engine, adapter }) => {
  let host: Host;
  beforeAll(async () => {
    host = await startHost({ engine, adapter, imports: [health] });
  });
  afterAll(() => host?.close());
  const ask = (): Promise<Answer> => call('GET', `${host.url}/health`);

  it('is what @nestjs/terminus shows, under the name that the host gives it', async () => {
    const { status, body } = await ask();
    const up = { status: 'up', ...OK };
    expect([status, body]).toEqual([200, expect.objectContaining({ status: 'ok', info: { tasks: up, queue: up } })]);
  });

  it('names the schema if a table beside the tasks is gone, while the database is well', async () => {
    const { dataSource } = host.tasks;
    await dataSource.query('ALTER TABLE tasks_bulks RENAME TO elsewhere');
    const schema = 'a table or a column is missing; run the migrations';
    const { status, body } = await ask();
    expect([status, body.error.tasks]).toEqual([503, { status: 'down', ...OK, schema }]);
    await dataSource.query('ALTER TABLE elsewhere RENAME TO tasks_bulks');
    expect((await ask()).status).toBe(200);
  });

  it('names the schema if the table that the write needs is gone', async () => {
    const { dataSource } = host.tasks;
    await dataSource.query('ALTER TABLE tasks_keys RENAME TO elsewhere');
    expect((await host.tasks.readiness()).parts).toMatchObject({
      database: 'ok',
      schema: expect.stringMatching(/^a table/),
    });
    await dataSource.query('ALTER TABLE elsewhere RENAME TO tasks_keys');
    expect(await host.tasks.readiness()).toEqual({ ready: true, parts: OK });
  });

  it('names the schema if a column is gone', async () => {
    const { dataSource } = host.tasks;
    await dataSource.query('ALTER TABLE tasks RENAME COLUMN claim_key TO elsewhere');
    expect((await host.tasks.readiness()).parts).toMatchObject({
      database: 'ok',
      schema: expect.stringMatching(/column/),
    });
    await dataSource.query('ALTER TABLE tasks RENAME COLUMN elsewhere TO claim_key');
    await until('ready again', async () => (await host.tasks.readiness()).ready);
  });
});

it('says that the process is stopping, while the app still answers', async () => {
  const [place] = PLACES;
  const host = await startHost({ ...place!, imports: [health] });
  let release = (): void => undefined;
  const seen: unknown[] = [];
  // A module that takes its time to stop, as processors do.
  const module = host.app.get(TaskModule);
  const destroy = module.onModuleDestroy.bind(module);
  module.onModuleDestroy = async () => {
    await destroy();
    await new Promise<void>((resolve) => (release = resolve));
  };
  const closing = host.close();
  await until('it is stopping', async () => {
    const { status, body } = await call('GET', `${host.url}/health`);
    if (status === 503) seen.push(body.error.tasks);
    return status === 503;
  });
  expect(seen).toEqual([{ status: 'down', ...OK, process: 'is stopping' }]);
  release();
  await closing;
});
