import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import ts from 'typescript';
import { finished } from '../unit/callbacks/fixtures/ends.js';
import { nobody } from '../unit/callbacks/fixtures/receiver.js';
import { codeOf, read } from '../support/documents.js';
import { type Host, PLACES, startHost } from '../support/host.js';
import { until } from '../support/until.js';

const root = resolve(import.meta.dirname, '../..');
const PAGE = read('docs/callbacks.md');
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const OTHER_SECRET = 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD';

/** The page's snippet in this language that says this. */
const snippet = (language: string, saying: string): string =>
  codeOf(PAGE, language).find((text) => text.includes(saying))!;

const MAIN = `import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { Receiver } from './receiver.js';
class AppModule {}
const module = { module: AppModule, controllers: [Receiver] };
const app = await NestFactory.create(module, { rawBody: true, logger: false });
app.useBodyParser('json', { limit: '2mb' });
await app.listen(Number(process.env.PORT), '127.0.0.1');`;

/** What starts each of them; a folder inside the project, so that its packages are found. */
const RECEIVERS: Record<string, (folder: string) => [file: string, args: string[]]> = {
  NestJS: (folder) => {
    for (const said of ['(AppModule, { rawBody: true })', "app.useBodyParser('json', { limit: '2mb' })"])
      if (!PAGE.includes(said)) throw new Error(`docs/callbacks.md does not say ${said}`);
    const { outputText } = ts.transpileModule(snippet('ts', 'standardwebhooks'), {
      compilerOptions: {
        target: ts.ScriptTarget.ES2022,
        module: ts.ModuleKind.ESNext,
        experimentalDecorators: true,
        emitDecoratorMetadata: true,
      },
    });
    writeFileSync(join(folder, 'receiver.js'), outputText);
    writeFileSync(join(folder, 'main.js'), MAIN);
    return [process.execPath, [join(folder, 'main.js')]];
  },
  Python: (folder) => {
    writeFileSync(join(folder, 'receiver.py'), snippet('python', 'CALLBACK_SECRET'));
    return ['python3', [join(folder, 'receiver.py')]];
  },
};

describe.each(Object.keys(RECEIVERS))('the receiver of docs/callbacks.md in %s', (name) => {
  let folder: string;
  let url: string;
  let child: ChildProcess;
  let output = '';
  let host: Host | undefined;
  beforeAll(async () => {
    mkdirSync(join(root, 'dist'), { recursive: true });
    folder = mkdtempSync(join(root, 'dist/receiver-'));
    const { origin, port } = new URL(await nobody());
    url = `${origin}/task-ended`;
    const [file, args] = RECEIVERS[name]!(folder);
    child = spawn(file, args, { env: { PATH: process.env.PATH, PORT: port, CALLBACK_SECRET: SECRET } });
    child.stdout!.on('data', (chunk) => (output += String(chunk)));
    await until('it listens', () => fetch(origin).then(Boolean, () => false));
  });
  afterEach(() => host?.close());
  afterAll(() => {
    child.kill();
    rmSync(folder, { recursive: true });
  });

  const outcome = async (callbackSecret: string | string[] | undefined, input = 'in'): Promise<[string, unknown]> => {
    jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    const options = { callbackUrl: url, callbackSecret, callbackRetry: { delays: [] } };
    host = await startHost({ ...PLACES[0]!, options });
    const taskId = await finished(host.tasks, { input });
    const callback = await until('ended', async () => {
      const [found] = (await host!.tasks.callbacks.list({ taskId })).list;
      return found?.state === 'pending' ? undefined : found;
    });
    jest.restoreAllMocks();
    const told = output.includes(taskId) && output.includes(callback.id);
    return [callback.state, told ? callback.tries[0]!.status : `${callback.tries[0]!.status}, and did nothing`];
  };

  it('takes what is signed with its secret, by itself or while it is rotated', async () => {
    expect(await outcome(SECRET)).toEqual(['delivered', 204]);
    await host!.close();
    expect(await outcome([OTHER_SECRET, SECRET])).toEqual(['delivered', 204]);
  });

  it('takes the longest texts', async () => {
    expect(await outcome(SECRET, '\u0001'.repeat(65_535))).toEqual(['delivered', 204]);
  });

  it('refuses what is signed with another, or not at all', async () => {
    expect(await outcome(OTHER_SECRET)).toEqual(['dead', '401, and did nothing']);
    await host!.close();
    const [state, said] = await outcome(undefined);
    expect([state, said]).toEqual(['dead', expect.stringContaining('and did nothing')]);
  });
});
