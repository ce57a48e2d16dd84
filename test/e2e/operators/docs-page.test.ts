import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Browser, Locator, Page } from 'playwright-core';
import { describeInBrowser, openBrowser } from '../../support/browser.js';
import { WHOLE } from '../../support/host.js';
import { call } from '../../support/http.js';
import { type RunningServer, runBuilt, startServer } from '../../support/server.js';

/** In the order of the page. */
const ALL = [
  ...['createTask', 'listTasks', 'removeTasks', 'listTasksByPost', 'watchTasks', 'changeTasks', 'getTask'],
  ...['updateTask', 'updateTaskByPost', 'getBulk', 'changeBulk'],
  ...['claimTask', 'claimTaskByPost', 'reportTasks', 'reportTask', 'reportTaskByPost'],
  ...[
    'operatorOverview',
    'operatorStats',
    'operatorMetrics',
    'operatorListTasks',
    'operatorRemoveTasks',
    'operatorListTasksByPost',
  ],
  ...['operatorChangeTasks', 'operatorListBulks', 'operatorListServices', 'operatorListSchedules'],
  ...[
    'operatorListBatches',
    'operatorListCallbacks',
    'operatorReplayCallbacks',
    'operatorListWorkers',
    'operatorGetTask',
  ],
  ...['operatorUpdateTask', 'operatorGetBulk', 'operatorChangeBulk', 'operatorSetService', 'operatorGetSchedule'],
  ...['operatorRemoveSchedule', 'operatorPauseSchedule', 'operatorResumeSchedule', 'operatorRunSchedule'],
  ...['operatorGetBatch', 'operatorChangeBatch', 'operatorListBatchTasks', 'operatorListBatchLayers'],
  ...['operatorReplayCallback', 'live', 'ready', 'listSchedules', 'setSchedule', 'getSchedule', 'removeSchedule'],
  ...['pauseSchedule', 'resumeSchedule', 'runSchedule'],
  ...['createBatch', 'listBatches', 'getBatch', 'changeBatch', 'listBatchTasks', 'addToBatch', 'listBatchLayers'],
];
/** Comes last, because the others need what it removes or ends. */
const AT_LAST = /(removeSchedule|changeBatch)$/i;
/** But for the stream, which does not end. */
const ORDERED = ALL.filter((id) => id !== 'watchTasks').toSorted(
  (one, other) => Number(AT_LAST.test(one)) - Number(AT_LAST.test(other)),
);
const [OF_OPERATORS, OPERATIONS] = [/^operator/, /^(?!operator)/].map((name) => ORDERED.filter((id) => name.test(id)));
/** Sent after what stands there: that batch takes no more tasks. */
const OPEN_BATCH = JSON.stringify({ tasks: [], seal: false });
/** Milliseconds. With forms, the longest of these tests takes a minute or two; a machine may be eight times slower. */
const LIMIT = 16 * 60_000;

describeInBrowser('the page /docs, as a newcomer finds it', () => {
  let server: RunningServer;
  let browser: Browser;
  let page: Page;
  /** By the operation. */
  let tags: Record<string, string>;
  beforeAll(async () => {
    // Nobody listens there: the callbacks of ended tasks stay pending.
    server = await startServer({ TASK_CALLBACK_URL: 'http://127.0.0.1:9/done' });
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  /** Opens the page, and pastes the tokens that the first start printed into its dialog. */
  async function open(): Promise<void> {
    await page?.close();
    page = await browser.newPage();
    page.setDefaultTimeout(120_000);
    await page.goto(`${server.url}/docs`);
    // A click waits until nothing moves.
    await page.addStyleTag({ content: '* { transition: none !important; animation: none !important }' });
    await page.locator('.auth-wrapper .authorize').click();
    for (const audience of ['user', 'worker', 'operator']) {
      const [, token] = new RegExp(`^${audience} token +(\\S+)`, 'im').exec(server.output())!;
      const form = page.locator('.auth-container', { hasText: `${audience}  (http` });
      await form.locator('input').fill(token!);
      await form.locator('button.authorize').click();
    }
    await page.locator('.close-modal').click();
    // The id of a block is operations-<tag>-<operation>.
    const ids = await page.locator('.opblock').evaluateAll((blocks) => blocks.map((each) => each.id.split('-')));
    tags = Object.fromEntries(ids.map(([, tag, id]) => [id, tag]));
  }
  const block = (id: string): Locator => page.locator(`.opblock[id$="-${id}"]`);
  async function tryOut(id: string): Promise<void> {
    await block(id).locator('.opblock-summary-control').click();
    await block(id).locator('.try-out__btn').click();
  }
  /** Presses Execute, and answers what came, with its status. */
  async function execute(id: string): Promise<{ status: number; body: any }> {
    const answer = block(id).locator('.live-responses-table');
    // A former answer stands there until the next one has come.
    await Promise.all([page.waitForResponse(/\/(api|health)\//), block(id).locator('button.execute').click()]);
    await block(id).locator('.loading-container').waitFor({ state: 'detached' });
    const status = Number.parseInt(await answer.locator('.response-col_status').last().innerText());
    const text = await answer.locator('.highlight-code code').first().innerText();
    return { status, body: id === 'operatorMetrics' ? text : JSON.parse(text) };
  }
  /** Closes the sections of all tags but these: what is on the page is drawn again at every click. */
  async function showOnly(...wanted: string[]): Promise<void> {
    for (const section of await page.locator('.opblock-tag').all()) {
      const isWanted = wanted.includes((await section.getAttribute('data-tag'))!);
      if ((await section.getAttribute('data-is-open')) !== String(isWanted))
        await section.locator('.expand-operation').click();
    }
  }
  /** Executes each operation with what stands there, also as forms in `npm run test:all`. Returns what failed. */
  async function executeAll(ids: string[]): Promise<{ failed: unknown[]; executed: number }> {
    const failed: unknown[] = [];
    let executed = 0;
    let shown: string | undefined;
    for (const id of ids) {
      if (tags[id] !== shown) await showOnly((shown = tags[id]!));
      await tryOut(id);
      // What is removed is gone.
      const isOnce = id === 'operatorRemoveSchedule';
      const types = await block(id).locator('.body-param-content-type select option').allInnerTexts();
      const tries: { type?: string | undefined; text?: string }[] = [
        undefined,
        ...(WHOLE && !isOnce ? types.slice(1) : []),
      ].map((type) => ({ type }));
      if (id === 'createBatch') tries.push({ type: types[0]!, text: OPEN_BATCH });
      for (const { type, text } of tries) {
        if (type) await block(id).locator('.body-param-content-type select').selectOption(type);
        if (text) await block(id).locator('textarea').fill(text);
        const { status, body } = await execute(id);
        executed++;
        const reports = id === 'reportTasks' ? body.data.list : [];
        if (status !== 200 || reports.some((report: any) => report.status !== 1)) failed.push([id, type, status, body]);
      }
      await block(id).locator('.opblock-summary-control').click();
    }
    return { failed, executed };
  }

  it(
    'has these operations, in this order',
    async () => {
      await open();
      await block('ready').waitFor();
      const ids = await page.locator('.opblock').evaluateAll((blocks) => blocks.map(({ id }) => id.split('-').pop()));
      expect(ids).toEqual(ALL);
    },
    LIMIT,
  );

  it(
    'keeps up with the tasks that it shows: users have the last one, workers the one they claimed',
    async () => {
      await open();
      await showOnly('tasks', 'crontask');
      for (const id of ['createTask', 'getTask', 'claimTask', 'reportTasks', 'reportTask']) await tryOut(id);
      // Nothing is made up: there is no task yet.
      await block('getTask').locator('button.execute').click();
      await block('getTask').locator('input.invalid').waitFor();
      const first = (await execute('createTask')).body.data.taskId;
      expect((await execute('claimTask')).body.data.task.taskId).toBe(first);
      const second = (await execute('createTask')).body.data.taskId;
      expect((await execute('getTask')).body.data.taskId).toBe(second);
      expect((await execute('reportTasks')).body.data.list).toMatchObject([{ taskId: first, status: 1 }]);
      expect((await execute('claimTask')).body.data.task.taskId).toBe(second);
      expect((await execute('reportTask')).body.data.task.taskId).toBe(second);
      expect((await execute('reportTasks')).body.data.list).toMatchObject([{ taskId: second, status: 1 }]);
    },
    LIMIT,
  );

  it(
    'answers each of them with what stands there, whatever the type of the body',
    async () => {
      await open();
      const { failed, executed } = await executeAll(OPERATIONS!);
      expect(failed).toEqual([]);
      // Fifteen of them have a body, of three types. One is sent once more.
      expect(executed).toBe(OPERATIONS!.length + (WHOLE ? 2 * 15 : 0) + 1);
    },
    LIMIT,
  );

  it(
    'answers operators, who have what it saw last: a task, a bulk, a callback, a service, a batch, a schedule',
    async () => {
      const { stdout } = await runBuilt('cli.js', ['token', 'bob'], {}, server.folder);
      const bob = {
        headers: { authorization: `Bearer ${stdout.trim()}` },
        json: { task: { input: 'x' }, cron: '@daily' },
      };
      expect((await call('PUT', `${server.url}/api/schedules/weekly`, bob)).status).toBe(200);
      await open();
      await showOnly('tasks');
      await tryOut('createTask');
      const { taskId } = (await execute('createTask')).body.data;
      await tryOut('updateTask');
      await block('updateTask').locator('textarea').fill('{"status": -20}');
      expect((await execute('updateTask')).status).toBe(200);
      const { failed, executed } = await executeAll(OF_OPERATORS!);
      expect(failed).toEqual([]);
      // Eleven of them have a body, of three types.
      expect(executed).toBe(OF_OPERATORS!.length + (WHOLE ? 2 * 11 : 0));
      const [, token] = /^operator token +(\S+)/im.exec(server.output())!;
      const headers = { authorization: `Bearer ${token}` };
      const ask = async (path: string): Promise<any> =>
        (await call('GET', `${server.url}/api/operator/${path}`, { headers })).body.data;
      const { task, callbacks } = await ask(`tasks/${taskId}`);
      expect([task.status, callbacks.length]).toEqual([10, 1]);
      expect((await ask('services')).list).toMatchObject([{ service: task.service, paused: true }]);
    },
    LIMIT,
  );
});
