import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PAGES } from '../../support/documents.js';
import { pack, type Packed, run } from './fixtures/pack.js';

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
    const isSchematic = (path: string): boolean => /^dist\/schematics\/nest-add\/[\w-]+\.js$/.test(path);
    expect(paths.filter(isSchematic).length).toBeGreaterThan(3);
    const isPython = (path: string): boolean =>
      /^clients\/python\/softdd_task\/(worker\/)?(\w+\.py|py\.typed)$/.test(path);
    expect(paths.filter(isPython).length).toBeGreaterThan(20);
    const texts = paths.filter((path) => !isBuilt(path) && !isSchematic(path) && !isPython(path));
    const expected = [
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'README.zh-CN.md',
      'clients/python/pyproject.toml',
      'clients/python/wheel_backend.py',
      'dist/cjs/package.json',
      'dist/schematics/collection.json',
      'dist/schematics/nest-add/schema.json',
      'dist/schematics/package.json',
      // But for the page for those who change the code, and for the translations.
      ...PAGES.filter((page) => page.startsWith('docs/') && !/architecture|zh-CN/.test(page)),
      'docs/grafana.json',
      'package.json',
    ];
    expect(texts.sort()).toEqual(expected.sort());
    expect(
      paths
        .filter(isBuilt)
        .filter((path) => /\/(server|test|bench|examples)\/|^dist\/\w+\/(main|cli|settings)\.|\.test\./.test(path)),
    ).toEqual([]);
  });

  it('has types beside every file of code', () => {
    // No type of ours names one of uuid's, and nobody imports the schematics.
    const code = paths.filter(
      (path) => /^dist\/(?!schematics).*\.js$/.test(path) && path !== 'dist/cjs/vendor/uuid.js',
    );
    expect(code.length).toBeGreaterThan(30);
    expect(code.filter((path) => !paths.includes(path.replace(/\.js$/, '.d.ts')))).toEqual([]);
  });

  it('has everything twice: as ES modules, and for tools that know CommonJS alone', () => {
    const below = (folder: string): string[] =>
      paths.filter((path) => path.startsWith(folder)).map((path) => path.slice(folder.length));
    expect(below('dist/cjs/').filter((path) => !/^vendor\/|^package\.json$/.test(path))).toEqual(below('dist/src/'));
    // What is an ES module alone comes along.
    const required = paths
      .filter((path) => /^dist\/cjs\/.*\.js$/.test(path))
      .flatMap((path) => [...read(path).matchAll(/require\("([^".][^"]*)"\)/g)].map(([, name]) => name!));
    expect(required).toContain('ipaddr.js');
    expect(required).not.toContain('sql-template-tag');
    expect(read('dist/cjs/vendor/sql-template-tag.js')).toContain('Copyright (c)');
  });

  it('keeps the doc comments in the types', () => {
    expect(read('dist/src/http/http.options.d.ts')).toContain("@defaultValue '/api/tasks'");
    expect(read('dist/src/queue/creation/new-task.d.ts')).toContain('at most 255 characters');
    expect(read('dist/src/protocol/wire.types.d.ts')).toContain('Percent done');
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

  it('runs `nest add` with the Nest CLI, and makes hosts install nothing for it', () => {
    const manifest = JSON.parse(read('package.json')) as { schematics: string };
    const collection = JSON.parse(read(manifest.schematics)) as { schematics: Record<string, { factory: string }> };
    expect(Object.keys(collection.schematics)).toEqual(['nest-add']);
    const code = paths.filter((path) => /^dist\/schematics\/.*\.js$/.test(path));
    const required = code.flatMap((path) => [...read(path).matchAll(/require\("([^"]+)"\)/g)].map(([, name]) => name!));
    expect(required.length).toBeGreaterThan(5);
    expect(required.filter((name) => !/^(node:|\.\/)/.test(name))).toEqual([]);
  });

  it('is small', () => {
    expect(packed.size).toBeLessThan(850_000);
  });
});
