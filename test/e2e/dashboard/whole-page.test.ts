import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type CanActivate, type ExecutionContext, UnauthorizedException, VersioningType } from '@nestjs/common';
import type { Browser } from 'playwright-core';
import { TaskModule } from '../../../src/index.js';
import { describeInBrowser, openBrowser } from '../../support/browser.js';
import { expectAccessible, openDashboard, PAGES, settled, THEMES } from '../../support/dashboard.js';
import { freePort } from '../../support/free-port.js';
import { ADAPTERS, startHost } from '../../support/host.js';
import { hasNginx } from '../../support/machine.js';
import { startNginx } from '../../support/nginx.js';
import { type RunningServer, startServer } from '../../support/server.js';
import { until } from '../../support/until.js';

const TOKEN = 'an-operator-token-0123456789';

/** A host's guard, which knows its operators by a cookie. */
class CookieGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<{ headers: { cookie?: string }; user?: unknown }>();
    if (!request.headers.cookie?.includes('session=kim')) throw new UnauthorizedException('sign in to the app');
    request.user = { id: 'kim' };
    return true;
  }
}

describeInBrowser('the page as a whole', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser?.close());

  it.each(ADAPTERS)('lets in who has a cookie of the host, and asks others for a token: %s', async (adapter) => {
    const options = { operatorGuards: [CookieGuard], dashboardUri: '/dashboard' };
    const host = await startHost({ engine: 'sqlite', adapter, options });
    const stranger = await openDashboard(browser, `${host.url}/dashboard/`);
    await stranger.page.locator('input[name=token]').waitFor();
    await stranger.page.context().addCookies([{ name: 'session', value: 'kim', url: host.url }]);
    await stranger.page.reload();
    await stranger.page.locator('.nav').waitFor();
    await settled(stranger.page);
    await stranger.page.getByRole('button', { name: 'Pause default' }).click();
    await stranger.page.locator('dialog').getByRole('button', { name: 'Pause' }).click();
    await stranger.page.getByText(/^default is paused: by kim/).waitFor();
    expect(stranger.problems).toEqual([]);
    await stranger.close();
    await host.close();
  });

  it.each(ADAPTERS)('shows each of two registrations its own queue, also with versions: %s', async (adapter) => {
    const [one, two] = [TOKEN, 'another-operator-token-0123456'];
    const host = await startHost({
      engine: 'sqlite',
      adapter,
      options: { operatorTokens: [one], dashboardUri: '/dashboard' },
      imports: [
        TaskModule.forRoot({
          name: 'videos',
          table: 'videos',
          workerTokens: ['a-worker-token-0123456789'],
          operatorTokens: [two],
          dashboardUri: '/videos/dashboard',
          postTaskUri: '/videos/tasks',
          getTaskListUri: '/videos/tasks',
          deleteTaskUri: '/videos/tasks',
          getTaskUri: '/videos/tasks/{taskId}',
          putTaskUri: '/videos/tasks/{taskId}',
          getCronTaskUri: '/videos/crontask',
          putCronTaskUri: '/videos/crontask/{taskId}',
        }),
      ],
      configure: (app) => void app.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' }),
    });
    await host.tasks.create({ userId: 'alice', service: 'mail', input: 'in', status: 10 });
    for (const [path, token, wrong] of [
      ['/dashboard/', one, two],
      ['/videos/dashboard/', two, one],
    ] as const) {
      const open = await openDashboard(browser, host.url + path);
      const { page } = open;
      await page.locator('input[name=token]').fill(wrong);
      await page.keyboard.press('Enter');
      await page.getByText('The server does not accept this token.').waitFor();
      await open.signIn(token);
      const isVideos = path.startsWith('/videos');
      await page.locator('.brand', { hasText: isVideos ? 'softdd/task videos' : 'softdd/task' }).waitFor();
      await page.getByRole('region', { name: 'default' }).waitFor();
      expect(await page.getByRole('region', { name: 'mail' }).count()).toBe(isVideos ? 0 : 1);
      expect(open.problems).toEqual([]);
      await open.close();
    }
    await host.close();
  });

  (hasNginx() ? it : it.skip)('works below a prefix of nginx, which compresses', async () => {
    const host = await startHost({
      engine: 'sqlite',
      adapter: 'fastify',
      options: { operatorTokens: [TOKEN], dashboardUri: '/dashboard' },
    });
    const front = await startNginx(`location /tools/queue/ { proxy_pass ${host.url}/; }`);
    try {
      for (const path of ['/tools/queue/dashboard', '/tools/queue/dashboard/']) {
        const open = await openDashboard(browser, front.url + path);
        await open.signIn(TOKEN);
        expect(new URL(open.page.url()).pathname).toBe('/tools/queue/dashboard/');
        await open.goTo('workers');
        await open.page.getByText('No worker holds a task.').waitFor();
        expect(open.problems).toEqual([]);
        await open.close();
      }
    } finally {
      await front.drop();
      await host.close();
    }
  });

  it('sends nothing while it is hidden, and at once when it is seen again', async () => {
    const host = await startHost({
      engine: 'sqlite',
      adapter: 'express',
      options: { operatorTokens: [TOKEN], dashboardUri: '/dashboard' },
    });
    const open = await openDashboard(browser, `${host.url}/dashboard/`);
    const { page } = open;
    await open.signIn(TOKEN);
    const times: number[] = [];
    page.on('request', () => times.push(Date.now()));
    await until('the page polls', () => times.length > 1);
    const hide = (isHidden: boolean): Promise<void> =>
      page.evaluate((hidden) => {
        const { document } = globalThis as unknown as { document: object & { dispatchEvent(event: unknown): void } };
        Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));
      }, isHidden);
    await hide(true);
    // What was on its way ends.
    await page.waitForLoadState('networkidle');
    const before = times.length;
    await page.waitForTimeout(6000);
    expect(times.length).toBe(before);
    await hide(false);
    await until('the page polls again', () => times.length > before);
    await open.close();
    await host.close();
  });

  it('says that the server is gone, keeps what it shows, and goes on when it is back', async () => {
    const PORT = String(await freePort());
    const environment = { PORT, TASK_OPERATOR_TOKENS: TOKEN };
    let server: RunningServer = await startServer(environment);
    const { folder } = server;
    const open = await openDashboard(browser, server.url);
    const { page } = open;
    await open.signIn(TOKEN);
    await open.goTo('services');
    await page.getByRole('link', { name: 'default' }).waitFor();
    await server.stop();
    await page.getByText('The server is gone. Trying again.').waitFor();
    await page.getByRole('link', { name: 'default' }).waitFor();
    server = await startServer(environment, folder);
    await page.getByText('The server is gone. Trying again.').waitFor({ state: 'detached' });
    await page.getByRole('link', { name: 'default' }).waitFor();
    await open.close();
    await server.stop();
  });
});

describeInBrowser('the pages of a queue with tasks', () => {
  let browser: Browser;
  let host: Awaited<ReturnType<typeof startHost>>;
  beforeAll(async () => {
    browser = await openBrowser();
    host = await startHost({
      engine: 'sqlite',
      adapter: 'express',
      options: { operatorTokens: [TOKEN], dashboardUri: '/dashboard' },
    });
    const task = { userId: 'alice', service: 'a-service-with-quite-a-long-name', input: 'in', status: 10 };
    await host.tasks.createMany(Array.from({ length: 120 }, () => task));
    await host.tasks.claim({ limit: 3, lease: 600, workerId: 'a-worker-with-a-long-name.example.com' });
    await host.tasks.operator.setService('mail', { paused: true, note: 'a note that is '.repeat(10) }, { by: 'kim' });
  });
  afterAll(async () => {
    await browser?.close();
    await host?.close();
  });

  describe.each(['en-US', 'zh-CN'])('in %s', (locale) => {
    it.each(THEMES)('have no violation in the theme %s', async (colorScheme) => {
      const open = await openDashboard(browser, `${host.url}/dashboard/`, { colorScheme, locale });
      await open.signIn(TOKEN);
      for (const hash of PAGES.filter((name) => !['tasks', 'bulk'].includes(name))) {
        await open.goTo(hash);
        if (hash === '') await open.page.locator('.chart').first().waitFor();
        await expectAccessible(open.page);
      }
      await open.goTo('services');
      await open.page.locator('.table button').first().click();
      await open.page.locator('dialog').waitFor();
      await expectAccessible(open.page);
      expect(open.problems).toEqual([]);
      await open.close();
    });
  });

  it.each([360, 768, 2560])('fit a screen that is %s wide', async (width) => {
    const open = await openDashboard(browser, `${host.url}/dashboard/`, { viewport: { width, height: 800 } });
    await open.signIn(TOKEN);
    for (const hash of PAGES) {
      await open.goTo(hash);
      if (hash === '') await open.page.locator('.chart').first().waitFor();
      const beyond = await open.page.evaluate(() => {
        const { document, innerWidth } = globalThis as unknown as {
          document: { documentElement: { scrollWidth: number } };
          innerWidth: number;
        };
        return document.documentElement.scrollWidth - innerWidth;
      });
      expect([hash, beyond]).toEqual([hash, 0]);
    }
    await open.close();
  });
});
