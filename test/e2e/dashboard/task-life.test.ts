import { beforeAll, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { TaskWorker } from '../../../src/client/index.js';
import { describeInBrowser } from '../../support/browser.js';
import { type Host, WORKER_TOKEN } from '../../support/host.js';
import { withDashboard } from '../../support/with-dashboard.js';

const BIG = '9007199254740993';

describeInBrowser('the page of a task', () => {
  const dashboard = withDashboard('express', { services: { once: { maxAttempts: 1 } } });
  let host: Host;
  let page: Page;
  beforeAll(() => {
    ({ host } = dashboard);
  });

  const create = async (json: object): Promise<string> =>
    (await host.user('alice', 'POST', '/api/tasks', { json: { input: 'a', status: 10, ...json } })).body.data.taskId;
  const show = async (taskId: string): Promise<void> => {
    page = await dashboard.show(`tasks/${taskId}`);
  };
  const chip = (status: string) => page.locator('.task .chip', { hasText: status }).first().waitFor();
  const happened = async (): Promise<string[]> => page.locator('.timeline strong').allInnerTexts();

  it('shows a task from its creation to its end, while a worker runs it', async () => {
    const taskId = await create({ service: 'watched', input: `{"id":${BIG}}` });
    await show(taskId);
    await chip('Ready');
    let goOn = (): void => undefined;
    const isSeen = new Promise<void>((seen) => (goOn = seen));
    const worker = new TaskWorker({
      baseUrl: host.url,
      token: WORKER_TOKEN,
      service: 'watched',
      workerId: 'gpu-7',
      wait: 1,
      progressInterval: 0.05,
      handler: async ({ progress }) => {
        progress(42, '{"frame":1}');
        await isSeen;
        return `{"frames":${BIG}}`;
      },
    });
    const isOver = worker.run();
    await chip('Running');
    await page.locator('[role=progressbar][aria-valuenow="42"]').waitFor();
    await page.locator('.timeline').getByText('gpu-7').waitFor();
    await page.getByRole('tab', { name: 'Checkpoint' }).click();
    await page.getByRole('region', { name: 'Checkpoint' }).getByText('"frame": 1').waitFor();
    goOn();
    await chip('Finished');
    expect(await happened()).toEqual(['Created', 'Attempt 1 began', 'Finished']);
    await page.getByRole('tab', { name: 'Output' }).click();
    expect(await page.getByRole('region', { name: 'Output' }).innerText()).toContain(`"frames": ${BIG}`);
    await page.getByRole('button', { name: 'Raw' }).click();
    expect(await page.getByRole('region', { name: 'Output' }).innerText()).toBe(`{"frames":${BIG}}`);
    expect(await page.getByRole('button', { name: 'Cancel' }).count()).toBe(0);
    await worker.close();
    await isOver;
  });

  it('runs a failed task again, and tells why it failed', async () => {
    const taskId = await create({ service: 'once' });
    await host.worker('GET', '/api/crontask', { query: { service: 'once' } });
    await host.worker('PUT', `/api/crontask/${taskId}`, { json: { status: -10, error: 'CUDA out of memory' } });
    await show(taskId);
    await chip('Failed');
    await page.locator('.notice').getByText('CUDA out of memory').waitFor();
    expect(await happened()).toEqual(['Created', 'Attempt 1 failed', 'Failed']);
    const attempt = page.getByRole('region', { name: 'Attempts that failed' });
    expect(await attempt.locator('tbody').innerText()).toContain('CUDA out of memory');
    await page.getByRole('button', { name: 'Run again' }).click();
    await page.getByText('The task is ready again.').waitFor();
    await chip('Ready');
    await host.worker('GET', '/api/crontask', { query: { service: 'once' } });
    await host.worker('PUT', `/api/crontask/${taskId}`, { json: { status: 30 } });
    await chip('Finished');
  });

  it('makes a draft ready, changes its priority, cancels it and deletes it', async () => {
    const taskId = await create({ status: 0, service: 'drafts' });
    await show(taskId);
    await chip('Draft');
    await page.getByRole('button', { name: 'Make ready' }).click();
    await chip('Ready');
    await page.getByRole('button', { name: 'Priority' }).click();
    await page.locator('dialog input').fill('-5');
    await page.locator('dialog button[type=submit]').click();
    await page.locator('.facts').getByText('-5').waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.locator('dialog').getByRole('button', { name: 'Cancel' }).click();
    await chip('Cancelled');
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.locator('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByText('The task is deleted.').waitFor();
    await page.getByRole('heading', { name: 'Tasks' }).waitFor();
    await dashboard.open.goTo(`tasks/${taskId}`);
    await page.getByRole('heading', { name: 'There is no such task' }).waitFor();
  });

  it('leads to the tasks of the same owner', async () => {
    const [first, second] = [await create({ service: 'kind' }), await create({ service: 'kind' })];
    await show(first);
    await page.locator('.facts').getByRole('link', { name: 'kind' }).click();
    await page.getByRole('link', { name: second }).waitFor();
    expect(page.url()).toContain('service=kind');
    expect(await page.locator('tbody tr').count()).toBe(2);
  });
});
