import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { RequestMethod } from '@nestjs/common';
import type { Browser } from 'playwright-core';
import { describeInBrowser, openBrowser } from '../../support/browser.js';
import { openDashboard } from '../../support/dashboard.js';
import { ADAPTERS, type Host, startHost } from '../../support/host.js';
import { call } from '../../support/http.js';

const TOKEN = 'an-operator-token-0123456789';
const OPTIONS = { operatorTokens: [TOKEN], dashboardUri: '/dashboard' };

/** A proxy below `/tools/queue` of another address, which takes that prefix away. */
async function startProxy(to: string): Promise<Server> {
  const server = createServer((incoming, outgoing) => {
    const path = incoming.url!.replace(/^\/tools\/queue/, '');
    if (path === incoming.url) return void outgoing.writeHead(404).end('not of the queue');
    const { method, headers } = incoming;
    const passed = request(new URL(path, to), { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(outgoing);
    });
    incoming.pipe(passed);
  });
  return new Promise((ready) => server.listen(0, '127.0.0.1', () => ready(server)));
}

describe.each(ADAPTERS)('a host on %s', (adapter) => {
  let host: Host;
  afterEach(() => host?.close());

  it('serves the page with a strict policy, its files for good, and itself never from a cache', async () => {
    host = await startHost({ engine: 'sqlite', adapter, options: OPTIONS });
    const index = await call('GET', `${host.url}/dashboard/`);
    expect(index.status).toBe(200);
    expect(index.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(index.headers.get('cache-control')).toBe('no-store');
    const files = [...index.text.matchAll(/"\.\/(assets\/[^"]+)"/g)].map(([, path]) => path!);
    expect(files.map((path) => path.split('.').pop()).sort()).toEqual(['css', 'js', 'svg']);
    for (const path of files) {
      const file = await call('GET', `${host.url}/dashboard/${path}`);
      expect(file.status).toBe(200);
      expect(file.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
      expect(file.headers.get('x-content-type-options')).toBe('nosniff');
      const plain = await call('GET', `${host.url}/dashboard/${path}`, { headers: { 'accept-encoding': 'gzip;q=0' } });
      expect(plain.headers.get('content-encoding')).toBeNull();
      expect(plain.text).toBe(file.text);
      expect((await call('HEAD', `${host.url}/dashboard/${path}`)).status).toBe(200);
    }
    const policy = index.headers.get('content-security-policy')!;
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('unsafe');
    expect(index.headers.get('referrer-policy')).toBe('no-referrer');
    for (const path of ['assets/none.js', 'assets/..%2Findex.html', 'assets/__proto__', 'assets/%00'])
      expect((await call('GET', `${host.url}/dashboard/${path}`)).status).toBeGreaterThanOrEqual(400);
  });

  it('leads who forgets the slash to it, by a relative address', async () => {
    host = await startHost({ engine: 'sqlite', adapter, options: OPTIONS });
    const answer = await fetch(`${host.url}/dashboard`, { redirect: 'manual' });
    expect([answer.status, answer.headers.get('location')]).toEqual([302, 'dashboard/']);
  });

  it('serves none unless it is told to', async () => {
    host = await startHost({ engine: 'sqlite', adapter, options: { operatorTokens: [TOKEN] } });
    expect((await call('GET', `${host.url}/dashboard/`)).status).toBe(404);
  });

  it('serves none that nobody could sign in to', async () => {
    host = await startHost({ engine: 'sqlite', adapter, options: { dashboardUri: '/dashboard' } });
    expect((await call('GET', `${host.url}/dashboard/`)).status).toBe(404);
  });

  it('does not start with a path that is taken, or that is none', async () => {
    const start = (dashboardUri: string) =>
      startHost({ engine: 'sqlite', adapter, options: { ...OPTIONS, dashboardUri } });
    await expect(start('/api/tasks')).rejects.toThrow(/dashboardUri: GET \/api\/tasks is already a route/);
    await expect(start('dashboard')).rejects.toThrow(/dashboardUri must be a path such as \/dashboard/);
    host = await start('/');
    expect((await call('GET', `${host.url}/`)).text).toContain('&quot;operator&quot;:&quot;api/operator&quot;');
  });
});

describeInBrowser('the dashboard', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser?.close());

  const works = async (url: string): Promise<void> => {
    const open = await openDashboard(browser, url);
    await open.signIn(TOKEN);
    await open.goTo('workers');
    await open.page.getByText('No worker holds a task.').waitFor();
    expect(open.problems).toEqual([]);
    await open.close();
  };

  it.each(ADAPTERS)('works under a prefix, with routes that have none, and behind a proxy: %s', async (adapter) => {
    const prefixed = await startHost({
      engine: 'sqlite',
      adapter,
      options: OPTIONS,
      configure: (app) => void app.setGlobalPrefix('v1/backend'),
    });
    await works(`${prefixed.url}/v1/backend/dashboard`);
    const proxy = await startProxy(prefixed.url);
    await works(`http://127.0.0.1:${(proxy.address() as AddressInfo).port}/tools/queue/v1/backend/dashboard`);
    proxy.closeAllConnections();
    await new Promise((closed) => proxy.close(closed));
    await prefixed.close();
    const mixed = await startHost({
      engine: 'sqlite',
      adapter,
      options: OPTIONS,
      configure: (app) =>
        void app.setGlobalPrefix('v1', { exclude: [{ path: 'dashboard', method: RequestMethod.GET }] }),
    });
    await works(`${mixed.url}/dashboard/`);
    await mixed.close();
  });
});
