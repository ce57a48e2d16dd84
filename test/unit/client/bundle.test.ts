import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { build, type Metafile } from 'esbuild';
import { pack, run } from '../../e2e/hosts/fixtures/pack.js';
import { itInWhole } from '../../support/host.js';
import { built } from '../../support/build.js';

/** Bytes of a worker's bundle, minified: with the clients for operators, schedules and batches, parts of TaskClient. */
const MOST = 36 * 1024;
const TSC = resolve(import.meta.dirname, '../../../node_modules/typescript/bin/tsc');

/** What a program in TypeScript does with it; the error shows that the types are there, and say something. */
const TYPED = `
  import { STATUS, TaskApiError, TaskClient, TaskWorker, type TaskWorkerOptions } from '@softdd/task/client';
  const options: TaskWorkerOptions = {
    baseUrl: 'http://127.0.0.1:1',
    handler: ({ task, progress, signal }) => {
      progress(50, task.input);
      return signal.aborted ? STATUS.BEGIN : task.attempt;
    },
  };
  export const worker = new TaskWorker(options);
  export const look = async (client: TaskClient): Promise<string | number> => {
    try {
      return (await client.waitFor('x', { timeout: 5 })).output;
    } catch (error) {
      return error instanceof TaskApiError ? error.httpStatus : 0;
    }
  };
  // @ts-expect-error
  new TaskWorker({ baseUrl: 7 });`;

describe('@softdd/task/client', () => {
  const folder = mkdtempSync(join(tmpdir(), 'softdd-task-client-'));
  beforeAll(async () => {
    // Without its dependencies and peers: the client needs none.
    const { filename } = await pack(folder);
    writeFileSync(join(folder, 'package.json'), '{ "type": "commonjs" }');
    await run('mkdir', ['-p', join(folder, 'node_modules/@softdd/task')]);
    await run('tar', [
      '-xzf',
      join(folder, filename),
      '-C',
      join(folder, 'node_modules/@softdd/task'),
      '--strip-components=1',
    ]);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const node = async (...args: string[]): Promise<string> => {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--no-warnings', ...args], { cwd: folder });
    expect(stderr).toBe('');
    return stdout.trim();
  };
  const runs = (file: string, text: string, ...flags: string[]): Promise<string> => {
    writeFileSync(join(folder, file), text);
    return node(...flags, file);
  };

  const USE = `
    const worker = new TaskWorker({ baseUrl: 'http://127.0.0.1:1', handler: () => 'out' });
    worker.on('unreachable', ({ error }) => { console.log(error.name); void worker.close(); });
    void worker.run();`;

  it('runs in an ES module, with nothing else installed', async () => {
    expect(await runs('worker.mjs', `import { TaskWorker } from '@softdd/task/client';${USE}`)).toBe('TaskApiError');
  });

  it.each([
    ['that requires ES modules', []],
    ['that can not, as tools that know CommonJS alone', ['--no-experimental-require-module']],
  ])('runs in a CommonJS project, on a Node %s', async (_, flags) => {
    const text = `const { TaskWorker } = require('@softdd/task/client');${USE}`;
    expect(await runs('worker.cjs', text, ...flags)).toBe('TaskApiError');
  });

  it('is one module, imported or required: its errors are the same', async () => {
    const text = `
      const required = require('@softdd/task/client');
      import('@softdd/task/client').then((imported) =>
        console.log(Object.keys(required).length, Object.keys(imported).every((name) => imported[name] === required[name])));`;
    expect(await runs('both.cjs', text)).toMatch(/^\d+ true$/);
  });

  it.each([
    ['import', 'esm', 'src'],
    ['import', 'cjs', 'src'],
    ['require', 'cjs', 'cjs'],
  ] as const)('is bundled by esbuild (%s, %s), small, and brings nothing along', async (way, format, from) => {
    const imports = { import: 'import { TaskWorker } from', require: 'const { TaskWorker } = require' }[way];
    const entry = join(folder, `entry-${way}.${way === 'import' ? 'mjs' : 'cjs'}`);
    writeFileSync(entry, `${imports} ('@softdd/task/client');${USE}`.replace(/from \((.*?)\)/, 'from $1'));
    const outfile = join(folder, `bundle-${way}-${format}.${format === 'esm' ? 'mjs' : 'cjs'}`);
    // 'neutral' knows no module of Node's: importing one would fail.
    const options = { bundle: true, minify: true, format, platform: 'neutral', outfile, metafile: true } as const;
    const { metafile } = await build({ entryPoints: [entry], ...options });
    const inputs = Object.keys((metafile as Metafile).inputs).filter((path) => !path.includes('entry-'));
    expect(inputs.length).toBeGreaterThan(10);
    const own = [`@softdd/task/dist/${from}/client/`, `@softdd/task/dist/${from}/protocol/`];
    expect(inputs.filter((path) => !own.some((part) => path.includes(part)))).toEqual([]);
    expect(readFileSync(outfile).length).toBeLessThan(way === 'import' ? MOST : MOST * 1.25);
    expect(await node(outfile)).toBe('TaskApiError');
  });

  const compile = async (file: string, flags: string[]): Promise<void> => {
    writeFileSync(join(folder, file), TYPED);
    const strict = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--target', 'es2022'];
    const result = await promisify(execFile)(
      process.execPath,
      [TSC, ...strict, '--lib', 'es2023,dom,dom.iterable', ...flags, file],
      { cwd: folder },
    ).catch((error: { stdout: string }) => error);
    expect(result.stdout).toBe('');
  };

  // Each takes a compiler of its own, two seconds of the processor: in `npm run test:all`.
  itInWhole.each([
    ['nodenext', 'check.ts', ['--module', 'nodenext']],
    ['node10', 'check.ts', ['--module', 'commonjs', '--moduleResolution', 'node10', '--ignoreDeprecations', '6.0']],
    ['node16', 'check.ts', ['--module', 'node16']],
    ['node18', 'check.ts', ['--module', 'node18']],
    ['node16, as an ES module', 'check.mts', ['--module', 'node16']],
    ['nodenext, as an ES module', 'check.mts', ['--module', 'nodenext']],
    ['commonjs with bundler', 'check.ts', ['--module', 'commonjs', '--moduleResolution', 'bundler']],
    ['bundler', 'check.ts', ['--module', 'esnext', '--moduleResolution', 'bundler']],
  ])('has its types in a TypeScript project of CommonJS: %s', (_, file, flags) => compile(file, flags));

  it.each(['.', '../cjs'])('imports its own files and the protocol only, in code and in types: %s', (path) => {
    const library = built(path);
    const files = readdirSync(library, { recursive: true, encoding: 'utf8' }).filter((file) =>
      /^(client|protocol)\/.*\.(js|ts)$/.test(file),
    );
    expect(files.length).toBeGreaterThan(10);
    const imports = files.flatMap((file) => {
      const text = readFileSync(join(library, file), 'utf8');
      return [...text.matchAll(/(?:from|import|require)\s*\(?['"]([^'"]+)['"]/g)].map(([, name]) => [file, name!]);
    });
    const own = ([file, name]: string[]): boolean => name!.startsWith('.') && files.includes(join(file!, '..', name!));
    expect(imports.length).toBeGreaterThan(20);
    expect(imports.filter((one) => !own(one))).toEqual([]);
  });
});
