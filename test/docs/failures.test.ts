import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from '@jest/globals';
import { TASK_ERRORS } from '../../src/index.js';

const SOURCES = resolve(import.meta.dirname, '../../src');

it('the catalogue names no failure that nothing raises', () => {
  const text = (readdirSync(SOURCES, { recursive: true }) as string[])
    .filter((file) => file.endsWith('.ts') && !/contract.errors|route-table|openapi/.test(file))
    .map((file) => readFileSync(join(SOURCES, file), 'utf8'))
    .join('\n');
  expect(Object.keys(TASK_ERRORS).filter((name) => !text.includes(`'${name}'`))).toEqual([]);
});
