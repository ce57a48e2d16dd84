import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { describeInBrowser, openBrowser } from '../../support/browser.js';
import { expectAccessible, openDashboard } from '../../support/dashboard.js';
import { type Host, startHost } from '../../support/host.js';
import { until } from '../../support/until.js';

const TOKEN = 'an-operator-token-0123456789';

describeInBrowser('the callbacks of a task', () => {
  let receiver: Server;
  let received = 0;
  let status = 410;
  let host: Host;
  let browser: Browser;
  beforeAll(async () => {
    receiver = createServer((request, answer) => {
      received++;
      request.resume();
      answer.writeHead(status).end();
    });
    await new Promise<void>((ready) => receiver.listen(0, '127.0.0.1', ready));
    const callbackUrl = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/done`;
    host = await startHost({
      engine: 'sqlite',
      adapter: 'express',
      options: { operatorTokens: [TOKEN], dashboardUri: '/', callbackUrl },
    });
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await host?.close();
    receiver.closeAllConnections();
    await new Promise((closed) => receiver.close(closed));
  });

  it('show each try, and are delivered again', async () => {
    const json = { input: 'a', service: 'mail', status: 10 };
    const { taskId } = (await host.user('alice', 'POST', '/api/tasks', { json })).body.data;
    await host.worker('GET', '/api/crontask', { query: { taskId } });
    await host.worker('PUT', `/api/crontask/${taskId}`, { json: { status: 30 } });
    await until('a callback', () => received > 0);
    const open = await openDashboard(browser, `${host.url}/#/tasks/${taskId}`);
    const { page } = open;
    await open.signIn(TOKEN);
    const callback = page.locator('.callback');
    await callback.getByText('HTTP 410').first().waitFor();
    await expectAccessible(page);
    status = 204;
    // Receivers that say 410 are asked no more: the callback is dead.
    await callback.getByText('Dead').waitFor();
    await callback.getByRole('button', { name: 'Deliver again' }).click();
    await page.getByText('It is delivered again.').waitFor();
    await callback.getByText('Delivered').waitFor();
    await callback.getByText('HTTP 204').waitFor();
    expect(received).toBe(2);
    expect(await callback.getByRole('button', { name: 'Deliver again' }).count()).toBe(1);
    expect(open.problems).toEqual([]);
    await open.close();
  });
});
