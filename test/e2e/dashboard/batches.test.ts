import { beforeAll, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { describeInBrowser } from '../../support/browser.js';
import { expectAccessible, THEMES } from '../../support/dashboard.js';
import { until } from '../../support/until.js';
import { withDashboard } from '../../support/with-dashboard.js';

const READ = 'a-reading-token-0123456789';
const ANN = { userId: 'ann' };
const part = (input: string, more: object = {}) => ({ input, service: 'parts', ...more });

describeInBrowser('the pages of batches', () => {
  const dashboard = withDashboard('fastify', { operatorReadTokens: [READ] });
  let graph: string;
  let large: string;
  let done: string;
  beforeAll(async () => {
    const { batches } = dashboard.host.tasks;
    const tasks = [
      part('cut', { ref: 'cut' }),
      part('left', { ref: 'left', dependsOn: ['cut'] }),
      part('right', { ref: 'right', dependsOn: ['cut'] }),
      part('join', { ref: 'join', dependsOn: ['left', 'right'] }),
    ];
    graph = (await batches.create({ tasks, onFailure: 'cancel' }, ANN)).batchId;
    const many = Array.from({ length: 300 }, (_, n) => part(`${n}`, { ref: `${n}`, service: 'many' }));
    const join = part('join', { dependsOn: many.map(({ input }) => input), service: 'many' });
    large = (await batches.create({ tasks: [...many, join], seal: false }, { userId: 'ben' })).batchId;
    const one = { tasks: [part('one', { service: 'one' })], then: part('after', { service: 'later' }) };
    const made = await batches.create(one, ANN);
    done = made.batchId;
    const [claimed] = await dashboard.host.tasks.claim({ taskId: made.taskIds[0]! });
    await dashboard.host.tasks.report(claimed!.taskId, { leaseToken: claimed!.leaseToken!, status: 30 });
  });
  const rowOf = (page: Page, batchId: string) => page.locator('tbody tr', { hasText: batchId });

  it('list those of all owners with their state and progress, by state and by owner', async () => {
    const page = await dashboard.show('batches');
    await rowOf(page, graph).getByText('Running').waitFor();
    await rowOf(page, large).getByText('301').waitFor();
    await rowOf(page, done).getByText('100%').waitFor();
    for (const colorScheme of THEMES) {
      await page.emulateMedia({ colorScheme });
      await expectAccessible(page);
    }
    await page.getByRole('button', { name: 'Open', exact: true }).click();
    await rowOf(page, graph).waitFor({ state: 'detached' });
    await rowOf(page, large).waitFor();
    await dashboard.open.goTo('batches?userId=ann');
    await rowOf(page, large).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Owner: ann' }).click();
    await rowOf(page, large).waitFor();
    await dashboard.open.goTo('batches?userId=nobody');
    await page.getByText('No batch fits.').waitFor();
    await dashboard.open.goTo('batches?userId=ann');
    await rowOf(page, done).getByText('Finished').click();
    await page.locator('h1', { hasText: done }).waitFor();
    await page.locator('.facts').getByText('Follows').waitFor();
  });

  it('draw the graph of a batch; a task leads to its batch, and a batch to its tasks', async () => {
    const page = await dashboard.show(`batches/${graph}`);
    await page.locator('.graph a').nth(3).waitFor();
    expect((await page.locator('.graph .edges').first().getAttribute('d'))!.match(/M/g)).toHaveLength(4);
    // The edges of a task stand out while the pointer or the focus is on it.
    const own = page.locator('.graph .is-own:visible');
    expect(await own.count()).toBe(0);
    await page.getByLabel('left: Waiting').hover();
    await own.waitFor();
    expect((await own.getAttribute('d'))!.match(/M/g)).toHaveLength(2);
    await page.locator('h1').hover();
    await own.waitFor({ state: 'detached' });
    await page.locator('.graph').focus();
    await page.keyboard.press('Tab');
    await own.waitFor();
    await page.getByLabel('cut: Ready').waitFor();
    await page.locator('.facts').getByText('The others are cancelled').waitFor();
    for (const colorScheme of THEMES) {
      await page.emulateMedia({ colorScheme });
      await expectAccessible(page);
    }
    await page.locator('.toolbar').getByRole('button', { name: 'Ready' }).click();
    expect(await page.locator('tbody tr').count()).toBe(1);
    await page.getByLabel('cut: Ready').click();
    await page.locator('.facts').getByRole('link', { name: graph }).click();
    await page.locator('h1', { hasText: graph }).waitFor();
    // What a worker does is seen without a reload.
    const [cut] = (await dashboard.host.tasks.batches.graph.tasks(graph, ANN)).list;
    await dashboard.host.tasks.claim({ taskId: cut!.taskId });
    await page.getByLabel('cut: Running').waitFor();
  });

  it('show a large batch by its layers, and the tasks of one', async () => {
    const page = await dashboard.show(`batches/${large}`);
    const layers = page.getByRole('region', { name: 'Layers' });
    await layers.getByText('300').first().waitFor();
    await page.getByRole('region', { name: 'Tasks' }).waitFor();
    expect(await page.locator('.graph').count()).toBe(0);
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Next page' }).click();
    await page.getByRole('button', { name: 'First page' }).waitFor();
    await layers.locator('tbody tr').nth(1).click();
    await page.getByText('Layer: 1').waitFor();
    await page.getByRole('region', { name: 'Tasks' }).locator('tbody tr', { hasText: '300' }).waitFor();
    expect(await page.getByRole('region', { name: 'Tasks' }).locator('tbody tr').count()).toBe(1);
  });

  it('lead to the tasks of a batch in the search, which also finds them by a typed id', async () => {
    const page = await dashboard.show(`batches/${graph}`);
    const rowsAre = async (count: number): Promise<void> => {
      await page
        .locator('tbody tr')
        .nth(count - 1)
        .waitFor();
      await page.getByText(`${count} tasks, that is all`).waitFor();
    };
    await page.locator('.facts').getByRole('link', { name: 'Search them' }).click();
    await page.getByText(`Batch: ${graph}`).waitFor();
    await rowsAre(4);
    expect(page.url()).toMatch(new RegExp(`#/tasks\\?batchId=${graph}$`));
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Remove the condition Batch' }).click();
    await page.locator('tbody tr').nth(10).waitFor();
    await page.keyboard.press('/');
    await page.keyboard.insertText(graph);
    await page.getByRole('option', { name: `Batch: ${graph}` }).click();
    await rowsAre(4);
    await page.getByRole('button', { name: 'Select all that match' }).click();
    await page.locator('.list-bar').getByRole('button', { name: 'Cancel', exact: true }).click();
    await page.locator('dialog').getByRole('heading', { name: 'Cancel 4 tasks?' }).waitFor();
    await page.locator('dialog').getByRole('button', { name: 'Back' }).click();
  });

  it('seal and cancel a batch after asking', async () => {
    const page = await dashboard.show(`batches/${large}`);
    await page.getByRole('button', { name: 'Seal', exact: true }).click();
    await page.locator('dialog').getByRole('button', { name: 'Seal', exact: true }).click();
    await page.getByText('The batch is sealed.').waitFor();
    await page.getByRole('button', { name: 'Seal', exact: true }).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    await page.locator('dialog').getByText('301 tasks have not ended.').waitFor();
    await page.locator('dialog').getByRole('button', { name: 'Cancel', exact: true }).click();
    await page.locator('.task > .row').getByText('Cancelled').waitFor();
    await page.getByRole('button', { name: 'Cancel', exact: true }).waitFor({ state: 'detached' });
    await until('its end', async () => (await dashboard.host.tasks.batches.get(large)).state === 'cancelled');
  });

  it('have nothing to press for who may only read, and say what is not there', async () => {
    const page = await dashboard.show(`batches/${graph}`, READ);
    await page.locator('.graph').waitFor();
    expect(await page.getByRole('button', { name: /^(Seal|Cancel)$/ }).count()).toBe(0);
    await dashboard.open.goTo('batches/nothing');
    await page.getByText('There is no such batch').waitFor();
  });
});
