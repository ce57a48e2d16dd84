import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { Task } from '../../../src/index.js';
import { type Host, PLACES, startHost } from '../../support/host.js';

describe.each(PLACES)('a task made ready on $engine', (where) => {
  let host: Host;
  beforeAll(async () => {
    host = await startHost(where);
  });
  afterAll(() => host?.close());

  const draft = () => host.tasks.create({ userId: 'alice', input: 'in' });
  const claimed = async () => (await host.worker('GET', '/api/crontask')).body.data.task?.taskId;
  const repository = () => host.tasks.dataSource.getRepository(Task);

  it('is not claimed before', async () => {
    await draft();
    expect(await claimed()).toBeUndefined();
  });

  it('by the service is claimed', async () => {
    const { taskId } = await draft();
    await host.tasks.markReady(taskId);
    expect(await claimed()).toBe(taskId);
  });

  it('by PUT status=10 is claimed', async () => {
    const { taskId } = await draft();
    await host.user('alice', 'PUT', `/api/tasks/${taskId}`, { form: { status: '10' } });
    expect(await claimed()).toBe(taskId);
  });

  it('by repository.save() of a loaded task is claimed', async () => {
    const { taskId } = await draft();
    const task = await repository().findOneByOrFail({ taskId });
    task.status = 10;
    await repository().save(task);
    expect(await claimed()).toBe(taskId);
  });

  it('by repository.save() of a new task is claimed', async () => {
    const taskId = randomUUID();
    const values = { taskId, userId: 'alice', service: 'default', status: 10, input: 'in', createdAt: new Date() };
    await repository().save(repository().create(values));
    expect(await claimed()).toBe(taskId);
  });

  it('by repository.update() is claimed', async () => {
    const { taskId } = await draft();
    await repository().update({ taskId }, { status: 10 });
    expect(await claimed()).toBe(taskId);
  });

  it('by an UPDATE in SQL is claimed', async () => {
    const { taskId } = await draft();
    await host.tasks.dataSource.query(`UPDATE tasks SET status = 10 WHERE id = '${taskId}'`);
    expect(await claimed()).toBe(taskId);
  });

  it('by an INSERT in SQL with nothing but what the original writes is claimed', async () => {
    const id = randomUUID();
    await host.tasks.dataSource.query(
      `INSERT INTO tasks (id, user_id, service, status, input) VALUES ('${id}', 'alice', 'default', 10, 'in')`,
    );
    expect(await claimed()).toBe(id);
  });

  it('and then made a draft again in SQL is not claimed', async () => {
    const { taskId } = await draft();
    await host.tasks.markReady(taskId);
    await host.tasks.dataSource.query(`UPDATE tasks SET status = 0 WHERE id = '${taskId}'`);
    expect(await claimed()).toBeUndefined();
  });
});
