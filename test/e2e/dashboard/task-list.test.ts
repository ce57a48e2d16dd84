import { beforeAll, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { describeInBrowser } from '../../support/browser.js';
import { expectAccessible } from '../../support/dashboard.js';
import type { Host } from '../../support/host.js';
import { withDashboard } from '../../support/with-dashboard.js';
import { writeTasks } from '../../support/many-tasks.js';

const READ_TOKEN = 'only-to-read-0123456789';

describeInBrowser('the list of tasks', () => {
  const dashboard = withDashboard('fastify', { operatorReadTokens: [READ_TOKEN] });
  let host: Host;
  let page: Page;
  beforeAll(async () => {
    ({ host } = dashboard);
    // More than one search walks over: what is older than these is found by going on.
    await writeTasks(host, { count: 3, status: -10, service: 'old', error: 'CUDA out of memory' });
    await writeTasks(host, { count: 55_000, status: 30, service: 'filler' });
    for (const [userId, service] of [
      ['alice', 'mail'],
      ['bob', 'mail'],
      ['bob', 'video'],
    ] as const)
      await host.user(userId, 'POST', '/api/tasks', { json: { input: 'a', service } });
  });

  const show = async (hash: string, token?: string): Promise<void> => {
    page = await dashboard.show(hash, token);
  };
  const rows = () => page.locator('.table tbody tr:not(.gap)');
  const rowsAre = (count: number) =>
    page.waitForFunction(
      (n) => (globalThis as any).document.querySelectorAll('.table tbody tr:not(.gap)').length === n,
      count,
    );

  it('shows what a link says, in chips that take the conditions away', async () => {
    await show('tasks?service=mail&userId=bob&status=0');
    await rowsAre(1);
    expect(await page.getByRole('button', { name: 'Draft' }).getAttribute('aria-pressed')).toBe('true');
    await page.getByRole('button', { name: 'Remove the condition Owner' }).click();
    await rowsAre(2);
    expect(page.url()).toMatch(/#\/tasks\?service=mail&status=0$/);
    await page.getByRole('button', { name: 'Finished' }).click();
    await page.getByRole('heading', { name: 'No task fits.' }).or(page.getByText('No task fits so far.')).waitFor();
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Remove all conditions' }).first().click();
    await rows().first().waitFor();
    expect(page.url()).toMatch(/#\/tasks$/);
  });

  it('is searched by keys: a text, and what it means', async () => {
    await show('tasks');
    await rows().first().waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('bo');
    await page.getByRole('option', { name: 'Owner: bob' }).waitFor();
    await expectAccessible(page);
    await page.keyboard.press('Enter');
    await rowsAre(2);
    expect(page.url()).toContain('userId=bob');
    await page.keyboard.press('/');
    await page.keyboard.type('video');
    await page.keyboard.press('Enter');
    await rowsAre(1);
    const id = (await page.locator('.is-id a').getAttribute('title'))!;
    await page.keyboard.press('/');
    await page.keyboard.insertText(id);
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: id }).waitFor();
    await page.getByRole('link', { name: 'Back to the list' }).click();
    await rowsAre(1);
    expect(page.url()).toContain('userId=bob');
  });

  it('narrows the time of creation', async () => {
    await show('tasks');
    await page.getByLabel('Created').selectOption({ label: 'In the last 15 min' });
    await page.getByRole('button', { name: 'Remove the condition Created from' }).waitFor();
    expect(page.url()).toMatch(/createdFrom=\d{4}-/);
    await page.getByRole('button', { name: 'Remove the condition Created from' }).click();
    await page.getByLabel('Created').selectOption({ label: 'Between…' });
    // Before it is open, nobody hears the key.
    await page.locator('dialog[open]').waitFor();
    await page.keyboard.press('Escape');
    await page.locator('dialog').waitFor({ state: 'detached' });
    expect(await page.getByLabel('Created').inputValue()).toBe('');
    await page.getByLabel('Created').selectOption({ label: 'Between…' });
    await page.locator('dialog input').last().fill('2020-01-01T00:00');
    await page.locator('dialog button[type=submit]').click();
    await page.getByRole('heading', { name: 'No task fits.' }).waitFor();
    expect(decodeURIComponent(page.url())).toMatch(/createdTo=2020-01-01T|createdTo=2019-12-31T/);
  });

  it('says how far a search came, and goes on', async () => {
    await show('tasks?status=-10&error=cuda');
    await page.getByText(/^Searched back to/).waitFor();
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Search on' }).click();
    await rowsAre(3);
    await page.getByText('3 tasks, that is all').waitFor();
  });

  it('says what the server says of a condition, and tries again', async () => {
    await show('tasks?status=tomorrow');
    const notice = page.getByRole('alert').filter({ hasText: 'status' });
    await notice.waitFor();
    expect(await notice.innerText()).toContain('14004');
    await notice.getByRole('button', { name: 'Retry' }).click();
    await notice.waitFor();
    await page.getByRole('button', { name: 'All', exact: true }).click();
    await rows().first().waitFor();
  });

  it('has no boxes and no buttons for who may only read', async () => {
    await show('tasks?userId=bob', READ_TOKEN);
    await rowsAre(2);
    expect(await page.locator('.tasks input[type=checkbox], .tasks .is-danger').count()).toBe(0);
    expect(await page.getByRole('button', { name: 'Select all that match' }).count()).toBe(0);
    await rows().first().locator('td').first().click();
    await page.getByRole('tab', { name: 'Input' }).waitFor();
    expect(await page.locator('.task .button', { hasText: /Cancel|Delete|ready|Priority/ }).count()).toBe(0);
  });
});
