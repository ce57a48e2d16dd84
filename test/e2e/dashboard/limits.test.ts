import { beforeEach, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { describeInBrowser } from '../../support/browser.js';
import { expectAccessible } from '../../support/dashboard.js';
import { until } from '../../support/until.js';
import { OPERATOR, withDashboard } from '../../support/with-dashboard.js';

const READ = 'a-reading-token-0123456789';

describeInBrowser('the limits of a service', () => {
  const dashboard = withDashboard('fastify', {
    operatorReadTokens: [READ],
    services: { gpu: { maxRunning: 4, fair: true } },
  });
  beforeEach(async () => {
    const { operator } = dashboard.host.tasks;
    const nothing = { maxRunning: null, rate: null, maxRunningPerOwner: null, fair: null };
    for (const service of ['gpu', 'api']) await operator.setService(service, nothing);
  });

  const open = async (service: string, token = OPERATOR): Promise<Page> => {
    await dashboard.host.tasks.create({ userId: 'alice', input: 'x', service, status: 10 });
    return dashboard.show('services', token);
  };
  const rowOf = (page: Page, service: string) => page.locator('tbody tr', { hasText: service });
  const edit = async (page: Page, service: string): Promise<void> => {
    await rowOf(page, service)
      .getByRole('button', { name: `Limits of ${service}` })
      .click();
    await page.locator('dialog').getByText(`Limits of ${service}`).waitFor();
  };
  const save = (page: Page) => page.locator('dialog').getByRole('button', { name: 'Change' }).click();
  const stateOf = async (service: string) =>
    (await dashboard.host.tasks.operator.services()).find((state) => state.service === service)!;

  it('shows what the option says, with a bar of how many run', async () => {
    const page = await open('gpu');
    await dashboard.host.tasks.claim({ service: 'gpu', limit: 1 });
    await rowOf(page, 'gpu').getByText('4 at once, owners take turns').waitFor();
    await page.reload();
    await rowOf(page, 'gpu').getByRole('progressbar', { name: '1 of 4 run' }).waitFor();
    await expectAccessible(page);
  });

  it('shows what runs and is ready of each owner where they take turns', async () => {
    for (const userId of ['bob', 'carol', 'carol'])
      await dashboard.host.tasks.create({ userId, input: 'x', service: 'shared', status: 10 });
    await dashboard.host.tasks.operator.setService('shared', { fair: true });
    await dashboard.host.tasks.claim({ service: 'shared', limit: 2 });
    const page = await open('gpu');
    const owners = rowOf(page, 'shared').locator('.owners li');
    await owners.getByText('1 running, 1 ready').waitFor();
    expect(await owners.allTextContents()).toEqual(['carol 1 running, 1 ready', 'bob 1 running, 0 ready']);
    await expectAccessible(page);
    await owners.getByRole('link', { name: 'carol' }).click();
    await page.waitForURL(/service=shared&userId=carol/);
  });

  it('are changed, each by itself, and given back when their fields are emptied', async () => {
    const page = await open('gpu');
    await edit(page, 'gpu');
    await expectAccessible(page);
    expect(await page.locator('dialog input[name=maxRunning]').inputValue()).toBe('4');
    await page.locator('dialog input[name=maxRunningPerOwner]').fill('2');
    await save(page);
    await page.getByText('The limits of gpu are changed.').waitFor();
    await rowOf(page, 'gpu').getByText('4 at once, 2 of an owner at once, owners take turns').waitFor();
    // The others are still the option's.
    const { sources } = await stateOf('gpu');
    expect(sources).toMatchObject({ maxRunning: 'option', maxRunningPerOwner: 'operator', fair: 'option' });
    await edit(page, 'gpu');
    await page.locator('dialog input[name=maxRunningPerOwner]').fill('');
    await page.locator('dialog select[name=fair]').selectOption('off');
    await save(page);
    await rowOf(page, 'gpu').getByText('owners take turns').waitFor({ state: 'detached' });
    await rowOf(page, 'gpu').getByText('4 at once').waitFor();
    expect(await stateOf('gpu')).toMatchObject({ maxRunningPerOwner: null, fair: false });
  });

  it('keeps what a quiet time allows when the rate is changed', async () => {
    const page = await open('api');
    await edit(page, 'api');
    for (const [name, value] of Object.entries({ max: '10', per: '60', burst: '20' }))
      await page.locator(`dialog input[name=${name}]`).fill(value);
    await save(page);
    await rowOf(page, 'api').getByText('10 in 1 min').waitFor();
    await edit(page, 'api');
    await page.locator('dialog input[name=max]').fill('5');
    await save(page);
    const rate = await until('it is changed', async () => {
      const state = await stateOf('api');
      return state.rate?.max === 5 && state.rate;
    });
    expect(rate).toEqual({ max: 5, per: 60, burst: 20 });
  });

  it('says what is wrong with a number, and changes nothing', async () => {
    const page = await open('api');
    await edit(page, 'api');
    await page.locator('dialog input[name=maxRunning]').fill('1.5');
    await save(page);
    await page.getByText('maxRunning', { exact: false }).first().waitFor();
    expect((await stateOf('api')).maxRunning).toBeNull();
  });

  it('are only shown to who may only read', async () => {
    const page = await open('gpu', READ);
    await rowOf(page, 'gpu').getByText('4 at once').waitFor();
    expect(await page.getByRole('button', { name: 'Limits of gpu' }).count()).toBe(0);
  });
});
