import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { built } from '../../support/build.js';

const { version } = JSON.parse(readFileSync(resolve(import.meta.dirname, '../../../package.json'), 'utf8')) as {
  version: string;
};

describe('the version', () => {
  it.each([
    ['an ES module', 'protocol/version.js'],
    ['CommonJS', '../cjs/protocol/version.js'],
  ])('is that of package.json, built as %s', async (_, path) => {
    const text = `import(${JSON.stringify(built(path))}).then(({ VERSION }) => console.log(VERSION))`;
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', text]);
    expect(stdout.trim()).toBe(version);
  });
});
