import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { describeInBrowser, openBrowser } from '../../support/browser.js';
import { type OpenDashboard, openDashboard } from '../../support/dashboard.js';
import { call } from '../../support/http.js';
import { type RunningServer, startServer } from '../../support/server.js';

const READ_TOKEN = 'only-to-read-0123456789';

describeInBrowser('the dashboard of the standalone server, as a newcomer finds it', () => {
  let server: RunningServer;
  let browser: Browser;
  let open: OpenDashboard;
  beforeAll(async () => {
    server = await startServer({ TASK_OPERATOR_READ_TOKENS: READ_TOKEN });
    browser = await openBrowser();
  });
  afterEach(async () => {
    expect(open.problems).toEqual([]);
    await open.close();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });
  const printed = (what: string): string => new RegExp(`^${what} +(\\S+)`, 'm').exec(server.output())![1]!;

  it('is at the address that is printed, and lets in who has the token that is printed', async () => {
    open = await openDashboard(browser, printed('Dashboard'));
    const { page } = open;
    await open.signIn(printed('Operator token'));
    // A queue without tasks teaches how to make one.
    await page.getByRole('heading', { name: 'No task at the moment' }).waitFor();
    expect(await page.locator('pre').nth(1).innerText()).toContain(`${server.url}/api/tasks`);
    // The tab stays signed in.
    await page.reload();
    await page.locator('.nav').waitFor();
    await page.locator('.menu summary').click();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.locator('input[name=token]').waitFor();
    await page.reload();
    await page.locator('input[name=token]').waitFor();
  });

  it('refuses a wrong token, in place, and takes the right one after it', async () => {
    open = await openDashboard(browser, printed('Dashboard'));
    const { page } = open;
    await page.locator('input[name=token]').fill('a-token-of-nobody-0123');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('The server does not accept this token.').waitFor();
    expect(await page.locator('.nav').count()).toBe(0);
    await open.signIn(printed('Operator token'));
  });

  it('shows no buttons that change something to who may only read', async () => {
    await call('POST', `${server.url}/api/tasks`, {
      headers: { authorization: `Bearer ${printed('User token')}` },
      json: { input: 'a', service: 'mail', status: 10 },
    });
    open = await openDashboard(browser, printed('Dashboard'));
    const { page } = open;
    await open.signIn(READ_TOKEN);
    await page.getByText('read only').waitFor();
    await open.goTo('services');
    await page.getByRole('link', { name: 'mail' }).waitFor();
    expect(await page.getByRole('button', { name: 'Pause' }).count()).toBe(0);
    // On a phone, nothing in the header lies over another thing, or beyond the page.
    await page.setViewportSize({ width: 420, height: 800 });
    const boxes = await Promise.all(
      (await page.locator('.header > :not(form):visible, .header input').all()).map(
        async (part) => (await part.boundingBox())!,
      ),
    );
    const over = boxes.filter((one, place) =>
      boxes
        .slice(place + 1)
        .some(
          (other) =>
            one.x < other.x + other.width &&
            other.x < one.x + one.width &&
            one.y < other.y + other.height &&
            other.y < one.y + one.height,
        ),
    );
    expect([over, boxes.filter(({ x, width }) => x + width > 420)]).toEqual([[], []]);
  });

  it('asks before it pauses a service, and resumes it', async () => {
    open = await openDashboard(browser, printed('Dashboard'));
    const { page } = open;
    await open.signIn(printed('Operator token'));
    await open.goTo('services');
    const row = page.getByRole('row', { name: 'mail' });
    await row.getByRole('button', { name: 'Pause' }).click();
    await page.locator('dialog[open]').waitFor();
    await page.keyboard.press('Escape');
    await page.locator('dialog').waitFor({ state: 'detached' });
    await row.getByRole('button', { name: 'Pause' }).click();
    await page.locator('dialog').getByRole('button', { name: 'Pause' }).click();
    await row.getByRole('button', { name: 'Resume' }).click();
    await row.getByRole('button', { name: 'Pause' }).waitFor();
  });
});
