import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import type { Browser } from 'playwright-core';
import { describeInBrowser, openBrowser } from '../support/browser.js';
import { codeOf, read } from '../support/documents.js';
import { type Host, startHost } from '../support/host.js';

const [byCookie] = codeOf(read('README.md'), 'html');
const [byToken] = codeOf(read('README.md'), 'js');

/** Reads a cookie, or a bearer token: in both cases it is the user's name. */
class SomeGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<{ headers: Record<string, string>; user?: unknown }>();
    const { cookie = '', authorization = '' } = request.headers;
    const [, user] = /session=(\w+)/.exec(cookie) ?? /^Bearer (\w+)/.exec(authorization) ?? [];
    if (user) request.user = { id: user };
    return true;
  }
}

describeInBrowser("the README's progress bars", () => {
  let browser: Browser;
  let host: Host;
  beforeAll(async () => {
    browser = await openBrowser();
    host = await startHost({ engine: 'sqlite', adapter: 'fastify', options: { guards: [SomeGuard] } });
  });
  afterAll(async () => {
    await browser?.close();
    await host?.close();
  });

  it.each([
    ['a cookie', (taskId: string) => byCookie!.replace('<script>', `<script>const taskId = '${taskId}';`)],
    [
      'a token',
      (taskId: string) =>
        `<script type="module">const taskId = '${taskId}', token = 'alice';
        document.body.innerHTML = '<progress id="bar" max="100"></progress>';
        ${byToken}</script>`,
    ],
  ])('move with %s', async (kind, code) => {
    const { taskId } = await host.tasks.create({ userId: 'alice', input: 'in', status: 10 });
    const page = await browser.newPage();
    if (kind === 'a cookie') await page.context().addCookies([{ name: 'session', value: 'alice', url: host.url }]);
    await page.route('**/bar', (route) =>
      route.fulfill({ contentType: 'text/html', body: `<body>${code(taskId)}</body>` }),
    );
    await page.goto(`${host.url}/bar`);
    const shows = (value: number) =>
      page.waitForFunction(`document.querySelector("#bar")?.value === ${value}`, undefined, { timeout: 60_000 });
    const [claimed] = await host.tasks.claim({ taskId });
    const leaseToken = claimed!.leaseToken!;
    for (const progress of [20, 70]) {
      await host.tasks.report(taskId, { leaseToken, progress });
      await shows(progress);
    }
    await host.tasks.report(taskId, { leaseToken, status: 30 });
    await shows(100);
    expect(host.tasks.live.size.tasks).toBeLessThanOrEqual(1);
    await page.close();
  });
});
