import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { describeInBrowser, openBrowser } from '../../support/browser.js';
import { expectAccessible, type OpenDashboard, openDashboard, PAGES, THEMES } from '../../support/dashboard.js';
import { type Host, startHost } from '../../support/host.js';

const TOKEN = 'an-operator-token-0123456789';

describeInBrowser('the dashboard, for who does not see it or has no mouse', () => {
  let host: Host;
  let browser: Browser;
  let taskId: string;
  beforeAll(async () => {
    host = await startHost({
      engine: 'sqlite',
      adapter: 'fastify',
      options: { operatorTokens: [TOKEN], dashboardUri: '/dashboard', services: { mail: { maxAttempts: 1 } } },
    });
    browser = await openBrowser();
    const input = '{"id":9007199254740993}';
    const { body } = await host.user('alice', 'POST', '/api/tasks', { json: { input, service: 'mail', status: 10 } });
    ({ taskId } = (body as { data: { taskId: string } }).data);
    await host.user('alice', 'POST', '/api/tasks', { json: { input: 'b', service: 'video' } });
    await host.worker('GET', '/api/crontask', { query: { service: 'mail' } });
    await host.worker('PUT', `/api/crontask/${taskId}`, { json: { status: -10, error: 'no route' } });
  });
  afterAll(async () => {
    await browser?.close();
    await host?.close();
  });

  describe.each(THEMES)('in the theme %s', (colorScheme) => {
    let open: OpenDashboard;
    beforeAll(async () => {
      open = await openDashboard(browser, `${host.url}/dashboard/`, { colorScheme });
    });
    afterAll(() => open?.close());

    it('asks for the token without a violation', () => expectAccessible(open.page));

    it.each([...PAGES, 'task'])('shows %j without a violation', async (name) => {
      if ((await open.page.locator('input[name=token]').count()) > 0) await open.signIn(TOKEN);
      await open.goTo(name === 'task' ? `tasks/${taskId}` : name);
      await open.page.locator('h1').waitFor({ state: 'attached' });
      await expectAccessible(open.page);
      expect(open.problems).toEqual([]);
    });
  });

  it('does not round the numbers of a task', async () => {
    const open = await openDashboard(browser, `${host.url}/dashboard/#/tasks/${taskId}`);
    await open.signIn(TOKEN);
    expect(await open.page.getByRole('region', { name: 'Input' }).innerText()).toContain('"id": 9007199254740993');
    await open.close();
  });

  it('is used by keys: rows, a task, its search, and the list of keys', async () => {
    const open = await openDashboard(browser, `${host.url}/dashboard/#/tasks`);
    const { page } = open;
    await open.signIn(TOKEN);
    await page.locator('tbody tr').nth(1).waitFor();
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    expect(await page.locator('tr.is-active').innerText()).toContain(taskId);
    await page.keyboard.press('k');
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: taskId }).waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('jkx');
    expect(await page.locator('input[type=search]').inputValue()).toBe('jkx');
    await page.keyboard.press('Escape');
    await page.keyboard.press('?');
    await page.locator('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.locator('dialog').waitFor({ state: 'detached' });
    await open.close();
  });

  it('speaks Chinese to a browser that does, until told otherwise', async () => {
    const open = await openDashboard(browser, `${host.url}/dashboard/`, { locale: 'zh-CN' });
    const { page } = open;
    await page.getByRole('heading', { name: '登录' }).waitFor();
    expect(await page.locator('html').getAttribute('lang')).toBe('zh-CN');
    await page.locator('.menu summary').click();
    await page.locator('.menu select').first().selectOption('en');
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await open.close();
  });
});
