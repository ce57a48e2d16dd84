import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { userToken } from '../../../src/server/secrets.js';
import { describeInBrowser, openBrowser } from '../../support/browser.js';
import { openDashboard } from '../../support/dashboard.js';
import { freePort } from '../../support/free-port.js';
import type { Host } from '../../support/host.js';
import { OPERATOR, withDashboard } from '../../support/with-dashboard.js';
import { newFolder, type RunningServer, startServer } from '../../support/server.js';
import { until } from '../../support/until.js';

const SECRET = 'a-secret-of-at-least-32-bytes-in-length';

/** What the browser says when the reader turns to another tab, and back. */
const setHidden = (page: Page, isHidden: boolean): Promise<void> =>
  page.evaluate((hidden) => {
    const { document } = globalThis as any;
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden });
    document.dispatchEvent(new (globalThis as any).Event('visibilitychange'));
  }, isHidden);

describeInBrowser('a list that is looked at', () => {
  const dashboard = withDashboard('fastify');
  let host: Host;
  let page: Page;
  beforeAll(() => {
    ({ host } = dashboard);
  });

  const create = async (service: string): Promise<string> =>
    (await host.user('alice', 'POST', '/api/tasks', { json: { input: 'a', service, status: 10 } })).body.data.taskId;
  const show = async (hash: string): Promise<void> => {
    page = await dashboard.show(hash);
  };

  it('moves the progress in its place, and gathers new tasks until they are asked for', async () => {
    const [old, running] = [await create('live'), await create('live')];
    await show('tasks?service=live');
    const row = page.locator('.table tbody tr').first();
    await row.getByRole('link', { name: running }).waitFor();
    await host.worker('GET', '/api/crontask', { query: { taskId: running } });
    await row.getByText('Running').waitFor();
    await host.worker('PUT', `/api/crontask/${running}`, { json: { progress: 63 } });
    await row.locator('[aria-valuenow="63"]').waitFor();
    const [third, fourth] = [await create('live'), await create('live')];
    await page.getByRole('button', { name: 'Show 2 new' }).waitFor();
    expect(await row.innerText()).toContain(running);
    await page.getByRole('button', { name: 'Show 2 new' }).click();
    await row.getByRole('link', { name: fourth }).waitFor();
    const ids = await page.locator('.is-id a').evaluateAll((links) => links.map((link: any) => link.title));
    expect(ids).toEqual([fourth, third, running, old]);
  });

  it('sends at most one request in 2 s, and none while it is hidden', async () => {
    await create('counted');
    dashboard.open = await openDashboard(dashboard.browser, `${host.url}/`);
    page = dashboard.open.page;
    await page.clock.install();
    await page.goto(`${host.url}/#/tasks?service=counted`);
    await page.reload();
    const sent: string[] = [];
    page.on('request', (request) => {
      if (request.url().includes('/api/operator/')) sent.push(request.url());
    });
    await dashboard.open.signIn(OPERATOR);
    await page.locator('.table tbody tr').first().waitFor();
    const { length: before } = sent;
    for (let look = 1; look <= 10; look++) {
      await page.clock.runFor(2000);
      await until('an answer', () => sent.length >= before + look - 1);
      await page.waitForLoadState('networkidle');
    }
    expect(sent.length - before).toBeLessThanOrEqual(10);
    expect(sent.length - before).toBeGreaterThanOrEqual(5);
    await setHidden(page, true);
    const { length: hidden } = sent;
    await page.clock.runFor(600_000);
    expect(sent.length).toBe(hidden);
    await setHidden(page, false);
    await page.clock.runFor(2000);
    await until('a request', () => sent.length > hidden);
  });
});

describeInBrowser('a server that goes', () => {
  let server: RunningServer | undefined;
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  it('is missed, what was there stays, and it goes on when the server is back', async () => {
    const [port, folder] = [await freePort(), newFolder()];
    const settings = { PORT: String(port), TASK_OPERATOR_TOKENS: OPERATOR, TASK_JWT_SECRET: SECRET };
    server = await startServer(settings, folder);
    const token = await userToken(SECRET, 'alice');
    const create = (): Promise<Response> =>
      fetch(`${server!.url}/api/tasks`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: '{"input":"a","service":"mail","status":10}',
      });
    expect((await create()).status).toBe(200);
    const open = await openDashboard(browser, `${server.url}/#/tasks`);
    const { page } = open;
    await open.signIn(OPERATOR);
    const row = page.locator('.table tbody tr').first();
    await row.waitFor();
    await server.stop();
    await page.getByText('The server is gone. Trying again.').waitFor();
    expect(await row.innerText()).toContain('mail');
    server = await startServer(settings, folder);
    await page
      .getByRole('button', { name: 'Retry' })
      .click({ timeout: 5000 })
      .catch(() => undefined);
    await page.getByText('The server is gone. Trying again.').waitFor({ state: 'detached' });
    expect((await create()).status).toBe(200);
    await page.getByRole('button', { name: 'Show 1 new' }).click();
    expect(open.problems).toEqual([]);
    await open.close();
  });
});
