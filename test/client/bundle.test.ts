import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { build, type Metafile } from 'esbuild';
import { pack, run } from '../package/pack.js';
import { built } from '../support/server.js';

/** Bytes of a worker's bundle, minified. */
const MOST = 20 * 1024;

describe('@softdd/task/client', () => {
  const folder = mkdtempSync(join(tmpdir(), 'softdd-task-client-'));
  beforeAll(async () => {
    // Without its dependencies and peers: the client needs none.
    const { filename } = await pack(folder);
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

  const runs = async (file: string, text: string): Promise<string> => {
    writeFileSync(join(folder, file), text);
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--no-warnings', file], { cwd: folder });
    expect(stderr).toBe('');
    return stdout.trim();
  };

  const USE = `
    const worker = new TaskWorker({ baseUrl: 'http://127.0.0.1:1', handler: () => 'out' });
    worker.on('unreachable', ({ error }) => { console.log(error.name); void worker.close(); });
    void worker.run();`;

  it('runs in an ES module, with nothing else installed', async () => {
    expect(await runs('worker.mjs', `import { TaskWorker } from '@softdd/task/client';${USE}`)).toBe('TaskApiError');
  });

  it('runs in a CommonJS project, by require()', async () => {
    expect(await runs('worker.cjs', `const { TaskWorker } = require('@softdd/task/client');${USE}`)).toBe(
      'TaskApiError',
    );
  });

  it.each(['esm', 'cjs'] as const)('is bundled by esbuild (%s), small, and brings nothing along', async (format) => {
    writeFileSync(join(folder, 'entry.mjs'), `import { TaskWorker } from '@softdd/task/client';${USE}`);
    const outfile = join(folder, `bundle-${format}.${format === 'esm' ? 'mjs' : 'cjs'}`);
    // 'neutral' knows no module of Node's: importing one would fail.
    const { metafile } = await build({
      entryPoints: [join(folder, 'entry.mjs')],
      bundle: true,
      minify: true,
      format,
      platform: 'neutral',
      outfile,
      metafile: true,
    });
    const inputs = Object.keys((metafile as Metafile).inputs);
    expect(inputs.filter((path) => !/entry\.mjs$|@softdd\/task\/dist\/src\/client\/[\w.-]+\.js$/.test(path))).toEqual(
      [],
    );
    expect(readFileSync(outfile).length).toBeLessThan(MOST);
    const { stdout } = await promisify(execFile)(process.execPath, [outfile]);
    expect(stdout.trim()).toBe('TaskApiError');
  });

  it('imports its own files only, in code and in types', () => {
    const folderOfClient = built('client');
    const files = readdirSync(folderOfClient);
    expect(files.length).toBeGreaterThan(10);
    const imports = files.flatMap((file) =>
      [...readFileSync(join(folderOfClient, file), 'utf8').matchAll(/(?:from|import)\s*\(?['"]([^'"]+)['"]/g)].map(
        ([, name]) => name!,
      ),
    );
    expect(imports.filter((name) => !/^\.\/[\w.-]+\.js$/.test(name))).toEqual([]);
  });
});
