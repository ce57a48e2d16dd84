import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, afterEach, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { describeInBrowser, openBrowser } from '../../support/browser.js';
import { type OpenDashboard, openDashboard } from '../../support/dashboard.js';
import { type Host, startHost } from '../../support/host.js';
import { until } from '../../support/until.js';

const TOKEN = 'an-operator-token-0123456789';

describeInBrowser('the overview of a queue in which much is wrong', () => {
  let host: Host;
  let browser: Browser;
  let receiver: Server;
  let origin: string;
  let open: OpenDashboard;
  let page: Page;

  const create = (userId: string, service: string, count: number, more: object = {}) =>
    host.tasks.createMany(Array.from({ length: count }, () => ({ userId, service, input: 'in', status: 10, ...more })));

  beforeAll(async () => {
    receiver = createServer((_, answer) => answer.writeHead(500).end());
    await new Promise<void>((ready) => receiver.listen(0, '127.0.0.1', ready));
    origin = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
    host = await startHost({
      engine: 'sqlite',
      adapter: 'express',
      options: {
        operatorTokens: [TOKEN],
        dashboardUri: '/dashboard',
        callbackUrl: `${origin}/hook`,
        callbackAllow: [origin],
        callbackRetry: { delays: [], jitter: 0 },
      },
    });
    await create('dora', 'thumbnail', 8, { maxAttempts: 1 });
    for (const { taskId, leaseToken } of await host.tasks.claim({ service: 'thumbnail', limit: 8, lease: 60 }))
      await host.tasks.report(taskId, { leaseToken: leaseToken!, status: -10, error: 'out of memory' });
    await create('alice', 'transcode', 10);
    await host.tasks.claim({ service: 'transcode', limit: 2, lease: 60, workerId: 'gpu-7' });
    for (let made = 0; made < 1200; made += 600) await create('bob', 'transcode', 600);
    await until('the callbacks are dead', async () => {
      const { callbacks } = await host.tasks.operator.overview();
      return callbacks.dead === 8;
    });
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await host?.close();
    receiver?.closeAllConnections();
    await new Promise((closed) => receiver.close(closed));
  });
  beforeEach(async () => {
    open = await openDashboard(browser, `${host.url}/dashboard/`);
    page = open.page;
    await open.signIn(TOKEN);
  });
  afterEach(async () => {
    expect(open.problems).toEqual([]);
    await open.close();
  });
  const hash = (): string => decodeURIComponent(new URL(page.url()).hash);

  it('leads from each thing that is wrong to what shows it: failures, a flood, dead callbacks', async () => {
    const troubles = page.getByRole('region', { name: 'What is wrong' });
    await troubles.getByText('thumbnail: 8 attempts failed within 60 min').click();
    expect(hash()).toBe('#/tasks?service=thumbnail&status=-10');
    await page.goBack();
    await troubles.getByText(/^transcode: 99% of the tasks that come next belong to bob$/).click();
    expect(hash()).toBe('#/tasks?service=transcode&status=10&userId=bob');
    await page.goBack();
    await troubles.getByText(`8 callbacks to ${origin} are dead`).click();
    expect(hash()).toBe(`#/callbacks?state=dead&origin=${origin}`);
    await page.getByRole('row', { name: 'Dead' }).nth(7).waitFor();
  });

  it('has a card for each service, the most troubled first, with charts of the time that is chosen', async () => {
    await page.getByText('8 attempts failed').waitFor();
    const cards = page.locator('.card');
    expect(await cards.locator('h2').allInnerTexts()).toEqual(['thumbnail', 'transcode', 'default']);
    const transcode = page.getByRole('region', { name: 'transcode' });
    await transcode.getByRole('link', { name: '1,208' }).waitFor();
    await transcode.getByRole('link', { name: 'bob' }).waitFor();
    const rows = transcode.locator('table').first().locator('tbody tr');
    await rows.nth(59).waitFor({ state: 'attached' });
    await page.getByRole('button', { name: '7 days' }).click();
    await rows.nth(59).waitFor({ state: 'detached' });
    await until(
      'the sum of 7 days',
      async () =>
        (await transcode.innerText()).includes('7 DAYS\n0 finished') ||
        (await transcode.innerText()).includes('7 days\n0 finished'),
    );
    expect(hash()).toBe('#/?range=7d');
  });

  it('pauses a service from its card, with a note and an end, and says who did it', async () => {
    const card = page.getByRole('region', { name: 'transcode' });
    await card.getByRole('button', { name: 'Pause transcode' }).click();
    await page.getByLabel('Note').fill('GPUs are hot');
    await page.getByLabel('Until').selectOption('60');
    await page.locator('dialog').getByRole('button', { name: 'Pause' }).click();
    const [state] = await (async () => {
      await card.getByText('GPUs are hot').waitFor();
      return host.tasks.operator.services();
    })();
    expect(state).toMatchObject({ service: 'transcode', paused: true, note: 'GPUs are hot' });
    expect(Math.abs(state!.pausedUntil!.getTime() - Date.now() - 3_600_000)).toBeLessThan(600_000);
    await page.getByText(/^transcode is paused: by token .*: GPUs are hot$/).click();
    const row = page.getByRole('row', { name: 'transcode' });
    await row.getByText('GPUs are hot').waitFor();
    await row.getByText(/^token /).waitFor();
    await row.getByRole('button', { name: 'Resume transcode' }).click();
    await row.getByRole('button', { name: 'Pause transcode' }).waitFor();
  });

  it('shows the tries of a callback, and delivers one or all dead ones again', async () => {
    await open.goTo(`callbacks?state=dead&origin=${encodeURIComponent(origin)}`);
    await page.getByRole('row', { name: 'Dead' }).first().getByText('HTTP 500').click();
    const dialog = page.locator('dialog');
    await dialog.getByText(/HTTP 500/).waitFor();
    await dialog.getByText(`${origin}/hook`).waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    const replayed: unknown[] = [];
    const stop = host.tasks.operator.onAction(({ action, count }) => void replayed.push([action, count]));
    await page.getByRole('row', { name: 'Dead' }).first().getByRole('button', { name: 'Deliver again' }).click();
    await page.getByText('It is delivered again.').waitFor();
    await until('it is dead again', async () => (await host.tasks.callbacks.list({ state: 'dead' })).list.length === 8);
    await page.getByRole('button', { name: 'Deliver all 8 again' }).click();
    await dialog.getByText('Deliver 8 dead callbacks again?').waitFor();
    await dialog.getByRole('button', { name: 'Deliver all again' }).click();
    await page.getByText('8 callbacks are delivered again.').waitFor();
    stop();
    expect(replayed).toEqual([
      ['replayCallback', 1],
      ['replayCallbacks', 8],
    ]);
  });

  it('says who holds what, and leads to it', async () => {
    await open.goTo('workers');
    const row = page.getByRole('row', { name: 'gpu-7' });
    await row.getByRole('cell', { name: '2', exact: true }).waitFor();
    await row.getByRole('link', { name: 'gpu-7' }).click();
    expect(hash()).toBe('#/tasks?workerId=gpu-7&service=transcode&status=20');
  });
});
