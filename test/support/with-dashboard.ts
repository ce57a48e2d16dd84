import { afterAll, afterEach, beforeAll, expect } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import type { TaskModuleOptions } from '../../src/index.js';
import { openBrowser } from './browser.js';
import { needBuild } from './build.js';
import { type OpenDashboard, openDashboard } from './dashboard.js';
import { type Host, startHost } from './host.js';

/** The operator's token of such a host. */
export const OPERATOR = 'an-operator-token-0123456789';

/** A host with the dashboard, and the page that a test has opened last. */
export interface Dashboard {
  host: Host;
  browser: Browser;
  open: OpenDashboard;
  /** Opens a page of the dashboard by its hash, and signs in. */
  show(hash: string, token?: string): Promise<Page>;
}

/** Starts them for the tests of one `describe`. The console of a page that a test has opened must say nothing wrong. */
export function withDashboard(adapter: 'express' | 'fastify', options: TaskModuleOptions = {}): Dashboard {
  const dashboard = {
    async show(hash, token = OPERATOR) {
      dashboard.open = await openDashboard(dashboard.browser, `${dashboard.host.url}/#/${hash}`);
      await dashboard.open.signIn(token);
      return dashboard.open.page;
    },
  } as Dashboard;
  beforeAll(async () => {
    needBuild();
    const all = { operatorTokens: [OPERATOR], dashboardUri: '/', ...options };
    dashboard.host = await startHost({ engine: 'sqlite', adapter, options: all });
    dashboard.browser = await openBrowser();
  });
  afterEach(async () => {
    expect(dashboard.open.problems).toEqual([]);
    await dashboard.open.close();
  });
  afterAll(async () => {
    await dashboard.browser?.close();
    await dashboard.host?.close();
  });
  return dashboard;
}
