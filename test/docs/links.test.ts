import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { anchorsOf, linksOf, PAGES, read } from '../support/documents.js';

const root = resolve(import.meta.dirname ?? 'test/docs', '../..');
const MORE = ['CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CODE_OF_CONDUCT.md', 'examples/host-app/README.md'];

/** What a link of this document leads to, where it leads to nothing. */
function problem(file: string, link: string): string | undefined {
  const [path, anchor] = link.split('#') as [string, string | undefined];
  const target = path === '' ? file : join(dirname(file), path);
  if (target.startsWith('..') || !existsSync(join(root, target))) return `${link}: there is no ${target}`;
  if (anchor === undefined) return undefined;
  if (!statSync(join(root, target)).isFile()) return `${link}: a folder has no anchors`;
  return anchorsOf(read(target)).includes(decodeURIComponent(anchor)) ? undefined : `${link}: no such heading`;
}

const filesOf = (folder: string): string[] =>
  (readdirSync(join(root, folder), { recursive: true }) as string[])
    .map((file) => `${folder}/${file}`)
    .filter((file) => /\.[tj]s$/.test(file));

describe('links in documents', () => {
  it.each([...PAGES, ...MORE])('%s: every relative link and anchor exists', (file) => {
    const relative = linksOf(read(file)).filter((link) => !/^[a-z]+:/.test(link));
    expect(relative.map((link) => problem(file, link)).filter((found) => found !== undefined)).toEqual([]);
  });

  it('lead from README to every page', () => {
    const reached = new Set<string>();
    const visit = (file: string): void => {
      if (reached.has(file)) return;
      reached.add(file);
      for (const link of linksOf(read(file))) {
        const [path] = link.split('#') as [string];
        if (path.endsWith('.md') && !/^[a-z]+:/.test(path)) visit(join(dirname(file), path));
      }
    };
    visit('README.md');
    expect(PAGES.filter((page) => !reached.has(page))).toEqual([]);
  });

  it('are noticed where they lead to nothing', () => {
    expect(problem('README.md', 'docs/none.md')).toContain('there is no docs/none.md');
    expect(problem('docs/states.md', 'errors.md#none')).toContain('no such heading');
    expect(problem('docs/states.md', '../../outside.md')).toContain('there is no');
    expect(problem('README.md', '#requirements')).toBeUndefined();
  });

  it('stand in the messages and comments of the source, too', () => {
    const sources = new Map(
      (['src', 'scripts'] as const).flatMap((folder) => filesOf(folder)).map((file) => [file, read(file)]),
    );
    const named = [...sources].flatMap(([file, text]) =>
      [...text.matchAll(/\bdocs\/[\w/-]+\.md/g)].map(([page]) => [file, page]),
    );
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter(([, page]) => !existsSync(join(root, page!)))).toEqual([]);
  });
});
