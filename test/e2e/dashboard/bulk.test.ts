import { beforeAll, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { describeInBrowser } from '../../support/browser.js';
import { expectAccessible } from '../../support/dashboard.js';
import type { Host } from '../../support/host.js';
import { withDashboard } from '../../support/with-dashboard.js';
import { writeTasks } from '../../support/many-tasks.js';

describeInBrowser('changes of many tasks', () => {
  const dashboard = withDashboard('express');
  let host: Host;
  let page: Page;
  beforeAll(async () => {
    ({ host } = dashboard);
    await writeTasks(host, { count: 5000, status: 0, service: 'flood', userId: 'mallory' });
    await writeTasks(host, { count: 40, status: 0, service: 'few' });
  });

  const show = async (hash: string): Promise<void> => {
    page = await dashboard.show(hash);
    await page.locator('.table tbody tr').first().waitFor();
  };
  const press = (name: string) => page.locator('.list-bar').getByRole('button', { name, exact: true }).click();
  const counted = async (filter: object): Promise<number> =>
    (await host.tasks.operator.search({ ...filter, pageNum: 10_000 })).list.length;

  it('cancels 5,000 tasks of a filter: says the number, asks, and shows how far it is', async () => {
    await show('tasks?userId=mallory');
    await press('Select all that match');
    await press('Cancel');
    const dialog = page.locator('dialog');
    await dialog.getByRole('heading', { name: 'Cancel 5,000 tasks?' }).waitFor();
    await expectAccessible(page);
    await dialog.getByRole('button', { name: 'Back' }).click();
    await dialog.waitFor({ state: 'detached' });
    expect(await counted({ status: -20 })).toBe(0);
    await press('Cancel');
    await dialog.getByRole('button', { name: 'Cancel 5,000 tasks' }).click();
    await page.getByText('5,000 done, 0 not changed.').waitFor();
    await expectAccessible(page);
    expect(await counted({ status: -20, userId: 'mallory' })).toBe(5000);
    expect(await counted({ status: -20, service: 'few' })).toBe(0);
    // The rows in sight show it in their places.
    await page.locator('.table .chip', { hasText: 'Cancelled' }).first().waitFor();
  });

  it('lists it among the bulk jobs, with a link to its tasks', async () => {
    await show('bulk');
    const row = page.getByRole('row', { name: 'Owner: mallory' });
    expect(await row.innerText()).toMatch(/Done[\s\S]*Cancel[\s\S]*5,000/);
    await row.getByRole('link').click();
    await page.getByRole('button', { name: 'Remove the condition Owner' }).waitFor();
  });

  it('deletes what is selected by keys, a range with shift', async () => {
    await show('tasks?service=few');
    for (const key of ['j', 'x', 'j', 'j', 'j', 'X']) await page.keyboard.press(key);
    await page.getByText('4 selected').waitFor();
    await page.locator('.table tbody input').nth(5).click();
    await page
      .locator('.table tbody input')
      .nth(8)
      .click({ modifiers: ['Shift'] });
    await page.getByText('8 selected').waitFor();
    await press('Delete');
    await page.locator('dialog').getByRole('button', { name: 'Delete 8 tasks' }).click();
    await page.getByText('8 done, 0 not changed.').waitFor();
    expect(await counted({ service: 'few' })).toBe(32);
    await page.locator('.table .chip', { hasText: 'Deleted' }).first().waitFor();
    await expectAccessible(page);
  });

  it('asks for the number to be typed before many are deleted', async () => {
    await show('tasks?userId=mallory');
    await press('Select all that match');
    await press('Delete');
    const dialog = page.locator('dialog');
    await dialog.locator('button[type=submit]').click();
    expect(await dialog.locator('input:invalid').count()).toBe(1);
    await dialog.locator('input').fill('5000');
    await dialog.locator('button[type=submit]').click();
    await page.getByText('5,000 done, 0 not changed.').waitFor();
    expect(await counted({ userId: 'mallory' })).toBe(0);
  });

  it('says where nothing can be done, instead of asking', async () => {
    await show('tasks?service=few');
    await press('Select all that match');
    await press('Run again');
    await page.getByText('None of these has failed or was cancelled.').waitFor();
    expect(await page.locator('dialog').count()).toBe(0);
  });
});
