import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { en } from '../../../src/dashboard/app/words/en.js';
import { zh } from '../../../src/dashboard/app/words/zh.js';

const APP = resolve(import.meta.dirname, '../../../src/dashboard/app');
const values = (text: string): string[] => [...text.matchAll(/\{\w+\}/g)].map(String).sort();

describe('the words of the page', () => {
  it('have the same keys in both languages, in the same order', () => expect(Object.keys(zh)).toEqual(Object.keys(en)));

  it('name the same values in both languages', () => {
    for (const [word, text] of Object.entries(en))
      expect([word, values(zh[word as keyof typeof en])]).toEqual([word, values(text)]);
  });

  it('are none that nothing uses', () => {
    const source = readdirSync(APP, { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.tsx?$/.test(file) && !/^words.(\w+\.)?(en|zh)\.ts$/.test(file))
      .map((file) => readFileSync(join(APP, file), 'utf8'))
      .join('\n');
    // Those of a kind are put together: `bulk.action.${action}`.
    const templates = [...source.matchAll(/`([\w.]+\.)\$\{/g)].map(([, start]) => start!);
    const unused = Object.keys(en).filter((word) => {
      const base = word.replace(/_one$/, '');
      return !source.includes(`'${base}'`) && !templates.some((start) => base.startsWith(start));
    });
    expect(unused).toEqual([]);
  });
});
