import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect } from '@jest/globals';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** The pages of the dashboard, by the hashes of their addresses. */
export const PAGES = ['', 'tasks', 'services', 'schedules', 'batches', 'callbacks', 'bulk', 'workers'] as const;
export const THEMES = ['light', 'dark'] as const;

/** A page of the dashboard in a browser, and what its console has said that is wrong: the policy, errors, exceptions. */
export interface OpenDashboard {
  page: Page;
  problems: string[];
  /** Opens another page of the dashboard, by its hash. */
  goTo(hash: string): Promise<void>;
  signIn(token: string): Promise<void>;
  close(): Promise<void>;
}

/** Opens the dashboard in a browser profile of its own. The address of the page ends with a slash. */
export async function openDashboard(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<OpenDashboard> {
  const context = await browser.newContext({ locale: 'en-US', ...options });
  const page = await context.newPage();
  const problems: string[] = [];
  page.on('console', (message) => {
    // The browser itself reports each answer that is no success.
    const isAnswer = message.text().startsWith('Failed to load resource');
    if (['error', 'warning'].includes(message.type()) && !isAnswer) problems.push(message.text());
  });
  page.on('pageerror', (error) => problems.push(String(error)));
  await page.goto(url);
  return {
    page,
    problems,
    async goTo(hash) {
      await page.evaluate((to) => {
        (globalThis as unknown as { location: { hash: string } }).location.hash = to;
      }, `#/${hash}`);
      await settled(page);
    },
    async signIn(token) {
      await page.locator('input[name=token]').fill(token);
      await page.locator('.sign-in button[type=submit]').click();
      await page.locator('.nav').waitFor();
      await settled(page);
    },
    close: () => context.close(),
  };
}

/** What was to be read is there. */
export const settled = (page: Page): Promise<void> => page.locator('.skeleton').first().waitFor({ state: 'detached' });

/** Fails for each rule of accessibility that the page breaks. It runs beside the policy of the page, not through it. */
export async function expectAccessible(page: Page): Promise<void> {
  await page.evaluate(AXE);
  const found = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: {
        run(): Promise<{
          violations: { id: string; help: string; nodes: { html: string; failureSummary: string }[] }[];
        }>;
      };
    };
    const { violations } = await axe.run();
    return violations.map(({ id, help, nodes }) => ({
      id,
      help,
      nodes: nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`),
    }));
  });
  expect(found).toEqual([]);
}
