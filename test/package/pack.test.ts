import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { pack, type Packed, run } from './pack.js';

describe('the package', () => {
  const folder = mkdtempSync(join(tmpdir(), 'softdd-task-pack-'));
  let packed: Packed;
  let paths: string[];
  const read = (path: string): string => readFileSync(join(folder, 'package', path), 'utf8');
  beforeAll(async () => {
    packed = await pack(folder);
    paths = packed.files.map(({ path }) => path);
    await run('tar', ['-xzf', join(folder, packed.filename), '-C', folder]);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('holds the built module, the texts that belong to it, and nothing else', () => {
    const isBuilt = (path: string): boolean => /^dist\/(src|cjs)\/.*\.(js|d\.ts)$/.test(path);
    const texts = paths.filter((path) => !isBuilt(path));
    expect(texts.sort()).toEqual([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'README.zh-CN.md',
      'clients/python/softdd_task.py',
      'dist/cjs/package.json',
      'docs/errors.md',
      'docs/performance.md',
      'docs/states.md',
      'docs/workers.md',
      'package.json',
    ]);
    expect(
      paths.filter(isBuilt).filter((path) => /\/(server|test|bench|examples)\/|\/main\.|\.test\./.test(path)),
    ).toEqual([]);
  });

  it('has types beside every file of code', () => {
    const code = paths.filter((path) => path.endsWith('.js'));
    expect(code.length).toBeGreaterThan(30);
    expect(code.filter((path) => !paths.includes(path.replace(/\.js$/, '.d.ts')))).toEqual([]);
  });

  it('keeps the doc comments in the types', () => {
    expect(read('dist/src/task.options.d.ts')).toContain("@defaultValue '/api/tasks'");
    expect(read('dist/src/core/creation.d.ts')).toContain('at most 64 characters');
    expect(read('dist/src/index.d.ts')).toContain('TaskModule');
  });

  it('needs at run time only what its package.json names', () => {
    const manifest = JSON.parse(read('package.json')) as Record<string, Record<string, string>>;
    const named = new Set([...Object.keys(manifest.dependencies!), ...Object.keys(manifest.peerDependencies!)]);
    const imported = paths
      .filter((path) => path.endsWith('.js'))
      .flatMap((path) => [...read(path).matchAll(/^(?:import|export) .*?from '([^'.][^']*)'|^import '([^'.][^']*)'/gm)])
      .map(([, from, bare]) => (from ?? bare)!)
      .filter((name) => !name.startsWith('node:'))
      .map((name) => /^(@[^/]+\/)?[^/]+/.exec(name)![0]);
    expect(imported.filter((name) => !named.has(name))).toEqual([]);
  });

  it('is small', () => {
    expect(packed.size).toBeLessThan(275_000);
  });
});
