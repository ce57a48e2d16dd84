import { execFile } from 'node:child_process';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { TASK_STATUS, Task } from '../../src/index.js';
import { BatchesValues } from '../../src/batches/batches.options.js';
import { valueNames } from '../../src/options/task.values.js';
import { BOUNDS } from '../../src/validation/rules.js';
import { codeOf, linksOf, PAGES, pagesIn, proseOf, read } from '../support/documents.js';
import { typeErrors } from '../support/type-errors.js';

const root = resolve(import.meta.dirname ?? 'test/docs', '../..');

describe('the documents', () => {
  it('say what the code says: options, defaults, error codes, moves', async () => {
    await promisify(execFile)(process.execPath, [join(root, 'scripts/write-docs.js'), '--check']);
  });

  it('name every variable of the server', () => {
    const config = read('src/server/config.ts');
    const variables = [...config.matchAll(/environment\.([A-Z_]+)/g)].map((match) => match[1]!);
    expect(variables.length).toBeGreaterThan(4);
    for (const variable of variables) expect(read('docs/configuration.md')).toContain(`\`${variable}\``);
  });

  it('have a row for every plain option', () => {
    const rows = [...read('docs/configuration.md').matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name);
    expect(rows).toEqual(expect.arrayContaining(valueNames()));
  });

  it('name every field of a task', () => {
    const fields = [...section('docs/rest-api.md', 'The task in JSON').matchAll(/^\| `(\w+)`/gm)].map(
      ([, name]) => name,
    );
    expect(fields).toEqual(expect.arrayContaining(['taskId', 'leaseExpiresAt']));
    const task = Object.assign(new Task(), { scheduleKey: 'nightly', uniqueKey: 'one', batchId: 'id' });
    expect(fields.sort()).toEqual(Object.keys(task.toResponse()).sort());
  });

  it('state the bounds of requests as they are', () => {
    const rows = [...section('docs/rest-api.md', 'Bounds').matchAll(/^\| (.*?) +\| (\d+)(?: \w+.*?)? +\|$/gm)];
    expect(Object.fromEntries(rows.map(([, what, most]) => [what, Number(most)]))).toEqual({
      '`input`, `args`, `temp`, `output`, `error`': BOUNDS.textBytes,
      '`service`, `group`': BOUNDS.nameLength,
      '`workerId`': BOUNDS.workerIdLength,
      "owner (the user's id)": BOUNDS.userIdLength,
      '`Idempotency-Key`': BOUNDS.keyLength,
      '`ids` in one request': BOUNDS.ids,
      'new tasks in one request': BOUNDS.creates,
      'new tasks of a batch in one request': new BatchesValues().maxBatchTasks,
      'key of a schedule': BOUNDS.scheduleKeyLength,
      'key of a unique task': BOUNDS.uniqueKeyLength,
      'tasks in one claim (`limit`)': BOUNDS.claims,
      'reports in one request': BOUNDS.reports,
      'tasks on one page (`pageNum`; 10 by default)': BOUNDS.pageSize,
      '`wait` of a claim': BOUNDS.wait,
      '`lease`': BOUNDS.lease.max,
      '`delay` of a retry': BOUNDS.delay,
      'fields in one body': 1100,
      body: 1,
      answer: BOUNDS.answerBytes / 2 ** 20,
    });
  });

  it.each(['docs/concepts.md', 'docs/zh-CN/concepts.md'])('%s: every status, as it is stored', (file) => {
    const rows = [...read(file).matchAll(/^\| ([A-Z]+) +\| (-?\d+) +\|/gm)];
    expect(Object.fromEntries(rows.map(([, role, stored]) => [role, Number(stored)]))).toEqual(TASK_STATUS);
  });

  it('have TypeScript snippets that compile', () => {
    const snippets = PAGES.flatMap((file) =>
      codeOf(read(file), 'ts').map((text, index) => [join(root, `${file}.${index}.ts`), text] as const),
    );
    expect(snippets.length).toBeGreaterThan(30);
    // One program for all of them: each takes as long as most of its snippets.
    expect(typeErrors(new Map([...snippets, [join(root, 'auth.guard.ts'), guard()]]))).toEqual([]);
  });
});

describe('documents in Chinese', () => {
  it.each(['README.zh-CN.md', ...pagesIn('docs/zh-CN')])(
    '%s: the sections, tables, links and code, but for comments, of the English one',
    (file) => expect(partsOf(file)).toEqual(partsOf(inEnglish(file))),
  );
});

const inEnglish = (file: string): string => file.replace('.zh-CN', '').replace('/zh-CN', '');

/** What a document has in every language. */
function partsOf(file: string): unknown {
  const text = read(file);
  const code = [...text.matchAll(/```\w*\n([^]*?)```/g)].map(([, block]) =>
    block!.replaceAll(/^ *(\/\/|\/\*\*|#) .*\n|  ?(\/\/|#) .*$/gm, ''),
  );
  return {
    sections: [...proseOf(text).matchAll(/^#+ /gm)].map(([level]) => level),
    rows: rowsOf(text),
    links: linksOf(text)
      .map((link) => targetOf(file, link))
      .sort(),
    code,
  };
}

/** What no translation changes in a row of a table: numbers and code. */
const rowsOf = (text: string): string[][] =>
  proseOf(text)
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) => line.match(/`[^`]+`|(?<![\w.])-?\d[\d,.]*(?!\w)/g) ?? [])
    .map((found) => found.map((part) => part.replace(/[,.]$/, '')).sort());

/** Where a link leads to, whatever the language, but for the heading: the page that English readers are led to. */
function targetOf(file: string, link: string): string {
  if (/^[a-z]+:/.test(link)) return link;
  const [path] = link.split('#') as [string];
  const target = path === '' ? file : join(dirname(file), path);
  // Each README links the other.
  return inEnglish(target);
}

/** The guard that a reader is told to begin with. */
const guard = (): string =>
  codeOf(read('docs/getting-started.md'), 'ts').find((text) => text.includes('class AuthGuard'))!;

/** What stands below a heading, up to the next one. */
function section(file: string, heading: string): string {
  const [, below] = read(file).split(new RegExp(`^#+ ${heading}$`, 'm'));
  return below!.split(/^#+ /m)[0]!;
}
