import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname ?? 'test/support', '../..');

/** A document, by its path in the project. */
export const read = (file: string): string => readFileSync(join(root, file), 'utf8');

/** The documents in this folder, by their paths in the project. */
export const pagesIn = (folder: string): string[] =>
  (readdirSync(join(root, folder), { recursive: true }) as string[])
    .filter((file) => file.endsWith('.md'))
    .map((file) => `${folder}/${file}`)
    .sort();

/** Everything that is written for readers. */
export const PAGES: readonly string[] = ['README.md', 'README.zh-CN.md', ...pagesIn('docs')];

/** Pieces of code in this language, as they stand in a document. */
export const codeOf = (text: string, language: string): string[] =>
  [...text.matchAll(new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``, 'g'))].map((match) => match[1]!);

/** The text without its pieces of code. */
export const proseOf = (text: string): string => text.replaceAll(/```[^]*?```/g, '');

/** Anchors of the headings, as GitHub makes them. */
export function anchorsOf(text: string): string[] {
  const seen = new Map<string, number>();
  return [...proseOf(text).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => {
    const slug = heading!
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, '')
      .replaceAll(' ', '-');
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    return count === 0 ? slug : `${slug}-${count}`;
  });
}

/** Where the links of a document lead to. */
export const linksOf = (text: string): string[] =>
  [...proseOf(text).matchAll(/\]\(([^)\s]*)\)/g)].map(([, link]) => link!);
