import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { describeInBrowser, openBrowser } from '../../support/browser.js';
import { openDashboard } from '../../support/dashboard.js';
import { type Host, startHost } from '../../support/host.js';
import { writeTasks } from '../../support/many-tasks.js';

const TOKEN = 'an-operator-token-0123456789';
const COUNT = 100_000;
/** Rows in the page at once, however many there are. */
const DRAWN = 80;
/** Bytes of the page's heap with all rows read. Whole tasks with their texts would take several times as much. */
const HEAP = 150 * 1024 * 1024;

describeInBrowser('a table of 100,000 tasks', () => {
  let host: Host;
  let browser: Browser;
  beforeAll(async () => {
    host = await startHost({
      engine: 'sqlite',
      adapter: 'fastify',
      options: { operatorTokens: [TOKEN], dashboardUri: '/' },
    });
    await writeTasks(host, { count: COUNT, status: 30 });
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await host?.close();
  });

  it('is scrolled to its end, draws few rows, and keeps the place of who comes back', async () => {
    const open = await openDashboard(browser, `${host.url}/#/tasks`);
    const { page } = open;
    await open.signIn(TOKEN);
    await page.locator('.table tbody tr').first().waitFor();
    const seen = await page.evaluate(async (count) => {
      const { document, requestAnimationFrame, performance } = globalThis as any;
      const box = document.querySelector('.table-box');
      const table = box.querySelector('table');
      let [longest, most, last] = [0, 0, performance.now()];
      while (Number(table.getAttribute('aria-rowcount')) <= count) {
        box.scrollTop = box.scrollHeight;
        await new Promise((drawn) => requestAnimationFrame(drawn));
        const now = performance.now();
        longest = Math.max(longest, now - last);
        last = now;
        most = Math.max(most, table.querySelectorAll('tbody tr').length);
      }
      return { longest, most };
    }, COUNT);
    const cdp = await page.context().newCDPSession(page);
    await cdp.send('HeapProfiler.collectGarbage');
    const { usedSize } = await cdp.send('Runtime.getHeapUsage');
    process.stdout.write(
      `${COUNT} rows: ${(usedSize / 2 ** 20).toFixed(0)} MiB of heap, longest frame ${seen.longest.toFixed(0)} ms\n`,
    );
    expect(seen.most).toBeLessThanOrEqual(DRAWN);
    expect(usedSize).toBeLessThan(HEAP);
    await page.getByText('100,000 tasks, that is all').waitFor();

    await page.locator('.table-box').evaluate((box: any) => (box.scrollTop = 50_000 * 36));
    const row = page.locator('tr[aria-rowindex="50004"]');
    const id = (await row.locator('.is-id a').getAttribute('title'))!;
    await row.locator('td').last().click();
    await page.getByRole('heading', { name: id }).waitFor();
    await page.goBack();
    await page.locator('tr[aria-rowindex="50004"]').getByRole('link', { name: id }).waitFor();
    expect(open.problems).toEqual([]);
    await open.close();
  });
});
