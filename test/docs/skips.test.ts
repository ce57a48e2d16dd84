import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { machineHas } from '../support/machine.js';

const root = resolve(import.meta.dirname, '../..');
const filesOf = (folder: string, ending: RegExp): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => ending.test(name))
    .map((name) => join(folder, name));

/** What a skip may depend on: `machineHas`, the engines of this run, or whether it is the whole run. All fail or tell in CI. */
const ALLOWED =
  /\bhas(Nginx|Pgbouncer|Php|Chromium|Galera|Server)\(|\b(mounted|here|WHOLE|DATABASE) \?|ENGINES\.includes|found\.length > 0|of no engine/;

describe('a test that is skipped', () => {
  let ci: string | undefined;
  beforeEach(() => {
    ci = process.env.CI;
  });
  afterEach(() => {
    if (ci === undefined) delete process.env.CI;
    else process.env.CI = ci;
    jest.restoreAllMocks();
  });
  const lack = (): boolean =>
    machineHas('program of nobody', () => {
      throw new Error('none');
    });

  it('says what the machine lacks, once', () => {
    delete process.env.CI;
    const write = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
    expect([lack(), lack()]).toEqual([false, false]);
    expect(write.mock.calls).toEqual([['\n  NOT TESTED: this machine has no program of nobody\n']]);
  });

  it('fails in CI', () => {
    process.env.CI = 'true';
    expect(lack).toThrow('CI needs program of nobody');
    expect(machineHas('node', () => undefined)).toBe(true);
  });

  it('is skipped by no other condition', () => {
    const skips = filesOf('test', /\.ts$/)
      .filter((file) => !file.endsWith('docs/skips.test.ts'))
      .flatMap((file) =>
        readFileSync(join(root, file), 'utf8')
          .split('\n')
          .filter((line) => /\b(it|test|describe)\.skip\b(?!;)/.test(line))
          .map((line) => `${file}: ${line.trim()}`),
      );
    expect(skips.length).toBeGreaterThan(8);
    expect(skips.filter((line) => !ALLOWED.test(line))).toEqual([]);
    const python = filesOf('clients/python/tests', /\.py$/)
      .flatMap((file) => readFileSync(join(root, file), 'utf8').split('\n'))
      .filter((line) => /shutil\.which/.test(line));
    // In `needs` alone.
    expect(python).toEqual(['    if shutil.which(program):']);
  });
});
