import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { describeInBrowser, openBrowser } from '../../support/browser.js';
import { expectAccessible, openDashboard, type OpenDashboard } from '../../support/dashboard.js';
import { failure } from '../../support/failure.js';
import { type Host, startHost } from '../../support/host.js';
import { until } from '../../support/until.js';

const ALL = 'an-operator-token-0123456789';
const READ = 'a-reading-token-0123456789';
const ANN = { userId: 'ann' };

describeInBrowser('the page Schedules', () => {
  let host: Host;
  let browser: Browser;
  let taskId: string;
  beforeAll(async () => {
    const options = { operatorTokens: [ALL], operatorReadTokens: [READ], dashboardUri: '/', schedules: true };
    host = await startHost({ engine: 'sqlite', adapter: 'fastify', options });
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await host?.close();
  });
  beforeEach(async () => {
    const { schedules } = host.tasks;
    const nightly = { cron: '30 2 * * *', timeZone: 'Europe/London', task: { input: 'report', service: 'reports' } };
    await schedules.set('nightly', nightly, ANN);
    await schedules.set('often', { every: 5400, task: { input: 'x' }, paused: true }, { userId: 'ben' });
    await schedules.delete('once', ANN).catch(() => undefined);
    const soon = new Date(Date.now() + 300);
    const once = { every: 60, startAt: soon, endAt: new Date(soon.getTime() + 1000), task: { input: 'once' } };
    await schedules.set('once', once, ANN);
    taskId = (await until('its task', async () => (await schedules.get('once', ANN)).last))!.taskId;
  });

  const open = async (token: string, hash = 'schedules', locale = 'en-US'): Promise<OpenDashboard> => {
    const opened = await openDashboard(browser, `${host.url}/#/${hash}`, { locale });
    await opened.signIn(token);
    return opened;
  };
  const rowOf = ({ page }: OpenDashboard, key: string) => page.locator('tbody tr', { hasText: key });

  it('lists those of all owners: state, times as they were written, the next one, the last task', async () => {
    const opened = await open(ALL);
    const { page } = opened;
    await rowOf(opened, 'nightly').getByText('30 2 * * * in Europe/London').waitFor();
    await rowOf(opened, 'nightly').getByText('Active').waitFor();
    await rowOf(opened, 'nightly').locator('time').waitFor();
    await rowOf(opened, 'often').getByText('every 1 h 30 min').waitFor();
    await rowOf(opened, 'often').getByText('Paused').waitFor();
    await rowOf(opened, 'once').getByText('Ended').waitFor();
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Paused', exact: true }).click();
    await rowOf(opened, 'nightly').waitFor({ state: 'detached' });
    expect(await page.locator('tbody tr').count()).toBe(1);
    await opened.goTo('schedules');
    await rowOf(opened, 'once').getByRole('link', { name: taskId }).click();
    await page.locator('h1', { hasText: taskId }).waitFor();
    // And back from the task to the schedules of its owner.
    await page.locator('.facts').getByRole('link', { name: 'once' }).click();
    await rowOf(opened, 'often').waitFor({ state: 'detached' });
    await rowOf(opened, 'once').waitFor();
    await opened.goTo('schedules?userId=nobody');
    await page.getByText('No schedule fits.').waitFor();
    await page.getByRole('button', { name: 'Owner: nobody' }).click();
    await rowOf(opened, 'often').waitFor();
    expect(opened.problems).toEqual([]);
    await opened.close();
  });

  it('shows its next times and what became of the last ones, and leads to all its tasks', async () => {
    const opened = await open(READ);
    const { page } = opened;
    await rowOf(opened, 'nightly').getByText('Active').click();
    const dialog = page.locator('dialog');
    await dialog.getByText('The latest is made up for, within 1 h').waitFor();
    expect(await dialog.locator('.history').first().locator('li').count()).toBe(5);
    await expectAccessible(page);
    await dialog.getByRole('button', { name: 'Close' }).click();
    await rowOf(opened, 'once').getByText('Ended').click();
    await dialog.getByRole('link', { name: taskId }).waitFor();
    await dialog.getByRole('link', { name: 'All its tasks' }).click();
    await page.getByText('Schedule: once').waitFor();
    await page.locator('tbody').getByText(taskId.slice(0, 8)).first().waitFor();
    // Who may only read has nothing to press.
    await opened.goTo('schedules');
    await rowOf(opened, 'nightly').waitFor();
    expect(await page.getByRole('button', { name: /Run now|Pause nightly|Delete/ }).count()).toBe(0);
    expect(opened.problems).toEqual([]);
    await opened.close();
  });

  it('pauses, resumes, runs now, and deletes after asking', async () => {
    const opened = await open(ALL);
    const { page } = opened;
    await page.getByRole('button', { name: 'Pause nightly' }).click();
    await page.getByText('nightly is paused.').waitFor();
    await rowOf(opened, 'nightly').getByText('Paused').waitFor();
    expect(await host.tasks.schedules.get('nightly', ANN)).toMatchObject({ paused: true });
    await page.getByRole('button', { name: 'Resume nightly' }).click();
    await rowOf(opened, 'nightly').getByText('Active').waitFor();
    await page.getByRole('button', { name: 'Run now nightly' }).click();
    await page.locator('dialog').getByRole('button', { name: 'Run now' }).click();
    await page.getByText('nightly: its task is created.').waitFor();
    const { list } = await host.tasks.operator.search({ scheduleKey: 'nightly' });
    expect(list).toMatchObject([{ userId: 'ann', service: 'reports' }]);
    await page.getByRole('button', { name: 'Delete nightly' }).click();
    await page.locator('dialog').getByText('Delete nightly of ann?').waitFor();
    await page.keyboard.press('Escape');
    expect(await host.tasks.schedules.get('nightly', ANN)).toMatchObject({ key: 'nightly' });
    await page.getByRole('button', { name: 'Delete nightly' }).click();
    await page.locator('dialog').getByRole('button', { name: 'Delete' }).click();
    await rowOf(opened, 'nightly').waitFor({ state: 'detached' });
    expect(await failure(host.tasks.schedules.get('nightly', ANN))).toEqual(['NOT_FOUND']);
    expect(opened.problems).toEqual([]);
    await opened.close();
  });

  it('speaks Chinese', async () => {
    const opened = await open(ALL, 'schedules', 'zh-CN');
    await rowOf(opened, 'nightly').getByText('30 2 * * *（Europe/London）').waitFor();
    await rowOf(opened, 'often').getByText('已暂停').waitFor();
    await opened.close();
  });
});
