// Takes the pictures of the dashboard in docs/: node scripts/screenshots.js. It needs Debian's chromium.
// The queue that they show is made here, in SQLite and in this process.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import 'reflect-metadata';
import './build.js';
import { shrinkPng } from './shrink-png.js';

const root = resolve(import.meta.dirname, '..');
const FOLDER = join(root, 'docs/images');
const TOKEN = 'an-operator-token-0123456789';
const WORKER_TOKEN = 'a-worker-token-0123456789';
const SIZE = { width: 1200, height: 640 };
const MOST_BYTES = 60_000;
/** `--keep`: the queue stays open, to be looked at; so many tasks are ready. */
const isKept = process.argv.includes('--keep');
/** `--only=batches,batch`: these pictures alone. */
const ONLY = /--only=(\S+)/.exec(process.argv.join(' '))?.[1].split(',');
const FLOOD = Number(/--flood=(\d+)/.exec(process.argv.join(' '))?.[1] ?? 3000);

const { NestFactory } = await import('@nestjs/core');
const { TypeOrmModule } = await import('@nestjs/typeorm');
const { ExpressAdapter } = await import('@nestjs/platform-express');
const { chromium } = await import('playwright-core');
const { TaskModule, TaskService } = await import('../dist/src/index.js');

const folder = mkdtempSync(join(tmpdir(), 'softdd-task-screenshots-'));
const receiver = createServer((_, answer) => answer.writeHead(500).end('out of order'));
await new Promise((ready) => receiver.listen(0, '127.0.0.1', ready));
const hook = `http://127.0.0.1:${receiver.address().port}`;

class HostModule {}
const app = await NestFactory.create(
  {
    module: HostModule,
    imports: [
      TypeOrmModule.forRoot({
        type: 'better-sqlite3',
        driver: (await import('libsql')).default,
        database: join(folder, 'tasks.sqlite'),
        autoLoadEntities: true,
      }),
      TaskModule.forRoot({
        operatorTokens: [TOKEN],
        workerTokens: [WORKER_TOKEN],
        dashboardUri: '/',
        schedules: true,
        callbackUrl: `${hook}/hooks/tasks`,
        callbackAllow: [hook],
        callbackSecret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
        callbackRetry: { delays: [1], jitter: 0 },
      }),
    ],
  },
  new ExpressAdapter(),
  { logger: ['error'] },
);
await app.listen(isKept ? 8123 : 0, '127.0.0.1');
const tasks = app.get(TaskService);

/** The ids of a batch whose graph is shown, and of a large one. */
const batches = [];
await fill();
if (isKept) console.log(`${await app.getUrl()}  ${TOKEN}`);
else {
  await takeAll();
  await app.close();
  receiver.closeAllConnections();
  receiver.close();
  rmSync(folder, { recursive: true, force: true });
  process.exit();
}

/** A queue in which something is wrong: a flood by one owner, a service that fails, one that is paused, dead callbacks. */
async function fill() {
  const BEGIN = 10;
  const create = (userId, service, count, more = {}) =>
    tasks.createMany(
      Array.from({ length: count }, (_, n) => ({
        userId,
        service,
        input: JSON.stringify({ file: `${service}-${n}.mov`, frames: 9007199254740993n.toString(), preset: 'fast' }),
        status: BEGIN,
        ...more,
      })),
    );
  const claim = (service, limit, workerId) => tasks.claim({ service, limit, lease: 600, workerId });
  const finish = (some, status, values) =>
    Promise.all(some.map(({ taskId, leaseToken }) => tasks.report(taskId, { leaseToken, status, ...values })));

  await create('alice', 'transcode', 40);
  await finish(await claim('transcode', 24, 'gpu-3'), 30, { output: '{"file":"film.mp4"}' });
  await create('carol', 'mail', 60);
  await finish(await claim('mail', 57, 'mail-1'), 30, { output: 'sent' });
  await create('dora', 'thumbnail', 80, { maxAttempts: 1 });
  await finish(await claim('thumbnail', 30, 'cpu-1'), -10, { error: 'ImageMagick: out of memory' });
  await finish(await claim('thumbnail', 6, 'cpu-2'), 30, { output: 'ok' });
  for (const [index, task] of (await claim('transcode', 8, 'gpu-7')).entries())
    await tasks.report(task.taskId, { leaseToken: task.leaseToken, progress: 8 + index * 11 });
  await claim('mail', 2, 'mail-1');
  const [failed] = (await tasks.operator.search({ status: -10, pageNum: 1 })).list;
  await tasks.operator.update(failed.taskId, { status: 10 }, { by: 'kim' });
  for (let made = 0; made < FLOOD; made += 1000) await create('bob', 'transcode', Math.min(1000, FLOOD - made));
  const { schedules } = tasks;
  const report = { service: 'report', input: 'nightly' };
  await schedules.set('nightly', { cron: '30 2 * * *', timeZone: 'Europe/London', task: report }, { userId: 'carol' });
  await schedules.set('reindex', { every: 900, task: { service: 'index', input: 'all' } }, { userId: 'alice' });
  await schedules.pause('reindex', { userId: 'alice' });
  await tasks.operator.setService(
    'thumbnail',
    { paused: true, note: 'out of memory: smaller batches come at noon' },
    { by: 'kim' },
  );
  await fillBatches(claim, finish);
  await tasks.operator.bulk({ action: 'retry', filter: { service: 'nothing' } }, { by: 'kim' });
  for (let look = 0; look < 300; look++) {
    const { callbacks } = await tasks.operator.overview();
    if (callbacks.pending === 0 && callbacks.dead > 0) break;
    await new Promise((done) => setTimeout(done, 500));
  }
}

/** A film that is cut, encoded in parts and joined; one whose part failed; one that has ended; and a large one. */
async function fillBatches(claim, finish) {
  const film = (parts) => {
    const names = Array.from({ length: parts }, (_, n) => `part ${n + 1}`);
    const encode = names.flatMap((ref) => [
      { ref, service: 'encode', input: ref, dependsOn: ['cut'] },
      { ref: `check ${ref}`, service: 'check', input: ref, dependsOn: [ref] },
    ]);
    const checks = names.map((ref) => `check ${ref}`);
    return [
      { ref: 'cut', service: 'cut', input: 'film.mov' },
      { ref: 'sound', service: 'sound', input: 'film.mov' },
      ...encode,
      { ref: 'join', service: 'join', input: 'film.mp4', dependsOn: [...checks, 'sound'] },
      { ref: 'publish', service: 'publish', input: 'film.mp4', dependsOn: ['join'] },
    ];
  };
  const many = Array.from({ length: 2500 }, (_, n) => ({ ref: `${n}`, service: 'thumbs', input: `${n}.png` }));
  const sheet = { ref: 'sheet', service: 'sheet', input: 'all', dependsOn: many.map(({ ref }) => ref) };
  const make = async (userId, list, more = {}) =>
    (await tasks.batches.create({ tasks: list, ...more }, { userId })).batchId;
  const then = { service: 'mail', input: 'the report of {{batchId}} is ready' };
  await make('carol', [{ service: 'report', input: 'november' }], { then });
  await finish(await claim('report', 1, 'cpu-1'), 30, { output: 'ok' });
  const large = await make('dora', [...many, sheet]);
  await finish(await claim('thumbs', 100, 'cpu-2'), 30, { output: 'ok' });
  await finish(await claim('thumbs', 3, 'cpu-2'), -10, { error: 'no such picture' });
  await make('alice', many.slice(0, 3), { seal: false });
  const batch = await make('alice', film(6), { then });
  await finish(await claim('cut', 1, 'cpu-1'), 30, { output: 'ok' });
  await ready('encode');
  await finish(await claim('encode', 3, 'gpu-3'), 30, { output: 'ok' });
  await claim('encode', 2, 'gpu-7');
  await ready('check');
  await finish(await claim('check', 2, 'cpu-1'), 30, { output: 'ok' });
  batches.push(batch, large);
}

/** Until a service has a task that a worker could take. */
async function ready(service) {
  for (let look = 0; look < 100; look++) {
    if ((await tasks.operator.search({ service, status: 10, pageNum: 1 })).list.length > 0) return;
    await new Promise((done) => setTimeout(done, 100));
  }
}

async function takeAll() {
  mkdirSync(FOLDER, { recursive: true });
  const [detail] = (await tasks.operator.search({ service: 'thumbnail', status: -10, pageNum: 1 })).list;
  const pages = {
    overview: '',
    tasks: 'tasks?service=transcode',
    task: `tasks/${detail.taskId}`,
    services: 'services',
    schedules: 'schedules',
    batches: 'batches',
    batch: `batches/${batches[0]}`,
    layers: `batches/${batches[1]}`,
    callbacks: 'callbacks?state=dead',
    bulk: 'bulk',
    workers: 'workers',
  };
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu'],
  });
  for (const colorScheme of ['light', 'dark']) {
    const context = await browser.newContext({ locale: 'en-US', colorScheme, viewport: SIZE });
    const page = await context.newPage();
    await page.goto(await app.getUrl());
    await page.locator('input[name=token]').fill(TOKEN);
    await page.keyboard.press('Enter');
    await page.locator('.nav').waitFor();
    for (const [name, hash] of Object.entries(pages)) {
      if (ONLY && !ONLY.includes(name)) continue;
      await page.evaluate((to) => (location.hash = to), `#/${hash}`);
      await page.locator('h1').waitFor({ state: 'attached' });
      await page.locator('.skeleton').first().waitFor({ state: 'detached' });
      if (name === 'overview') await page.locator('.chart').nth(5).waitFor();
      await page.waitForTimeout(1000);
      await save(page, join(FOLDER, `dashboard-${name}-${colorScheme}.png`));
    }
    await context.close();
  }
  await browser.close();
}

async function save(page, path) {
  const png = shrinkPng(await page.screenshot());
  writeFileSync(path, png);
  if (png.length > MOST_BYTES) throw new Error(`${path} has ${png.length} bytes; show less on it`);
  console.log(path, png.length);
}
