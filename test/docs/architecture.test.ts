import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import ts from 'typescript';
import { type Command, GroupCommit } from '../../src/database/group-commit.js';
import type { Database } from '../../src/database/database.js';
import { type QueryResult, runAsync, type Script, type Statement } from '../../src/database/transaction.js';
import { codeOf, read } from '../support/documents.js';

const root = resolve(import.meta.dirname ?? 'test/docs', '../..');
const PAGE = read('docs/architecture.md');
const plain = (text: string): Statement => ({ sql: text, text, values: [] });
/** What travelled, packet by packet, and what it is answered. */
type Answer = (statement: Statement) => QueryResult['rows'];

/** Stands for a pooled connection. */
const connection = (packets: string[], answer: Answer) => (statements: Statement[]) => {
  packets.push(statements.map(({ sql }) => sql.replaceAll(/\s+/g, ' ').trim()).join('; '));
  return Promise.resolve(statements.map((statement) => ({ rows: answer(statement), affected: 0 })));
};
const attempt = <T>(packets: string[], answer: Answer, script: () => Script<T>): Promise<T> =>
  runAsync(script(), connection(packets, answer), [plain('START TRANSACTION')], [plain('COMMIT')]);

describe('docs/architecture.md', () => {
  let folder: string;
  let examples: { giveTo(owner: string, taskId: string): Script<boolean>; urgent: Command<string, boolean> };
  beforeAll(async () => {
    mkdirSync(join(root, 'dist'), { recursive: true });
    folder = mkdtempSync(join(root, 'dist/architecture-'));
    const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext };
    const modules = codeOf(PAGE, 'ts').map((text, index) => {
      const path = join(folder, `example${index}.mjs`);
      const fromHere = text.replaceAll("'../src/", "'../../src/");
      writeFileSync(path, ts.transpileModule(fromHere, { compilerOptions }).outputText);
      return import(pathToFileURL(path).href);
    });
    examples = Object.assign({}, ...(await Promise.all(modules)));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('has a row for each room', () => {
    const named = [...PAGE.matchAll(/^\| `src\/(\w+)\/`/gm)].map(([, name]) => name!);
    const rooms = readdirSync(join(root, 'src'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(named.sort()).toEqual(rooms.map(({ name }) => name).sort());
  });

  it('names files that exist', () => {
    const folders = ['', 'src/'];
    const named = [...PAGE.matchAll(/`((?:\w+\/)+[\w.-]+\.ts)`/g)].map(([, path]) => path!);
    const files = readdirSync(join(root, 'src'), { recursive: true }) as string[];
    expect(named.length).toBeGreaterThan(3);
    expect(
      named.filter((path) => !folders.some((before) => files.map((file) => `src/${file}`).includes(before + path))),
    ).toEqual([]);
  });

  it('has a script that takes the round trips that it says', async () => {
    const stated = [...PAGE.matchAll(/^\d: (.*)$/gm)].map(([, packet]) => packet);
    const packets: string[] = [];
    const run = () =>
      attempt(
        packets,
        () => [{ id: 'a' }],
        () => examples.giveTo('bob', 'a'),
      );
    expect([await run(), packets]).toEqual([true, stated]);
  });

  it('has a use case that runs as it says', async () => {
    const transactions: string[][] = [];
    const held = new Set(['b']);
    const database = {
      oneWriter: false,
      attempt: async <T>(script: () => Script<T>): Promise<T> => {
        const packets: string[] = [];
        transactions.push(packets);
        const answer: Answer = ({ sql, values }) =>
          !sql.startsWith('SELECT')
            ? []
            : values.filter((id) => !sql.includes('SKIP LOCKED') || !held.has(String(id))).map((id) => ({ id }));
        return attempt(packets, answer, script);
      },
    } as unknown as Database;
    const groupCommit = new GroupCommit(database);
    expect(await Promise.all(['a', 'b', 'c'].map((id) => groupCommit.run(examples.urgent, id)))).toEqual([
      true,
      true,
      true,
    ]);
    expect(transactions).toEqual([
      [
        'START TRANSACTION; SELECT id FROM tasks WHERE id IN (?,?,?) FOR UPDATE SKIP LOCKED',
        'UPDATE tasks SET priority = 0 WHERE id IN (?,?); COMMIT',
      ],
      [
        'START TRANSACTION; SELECT id FROM tasks WHERE id IN (?) FOR UPDATE',
        'UPDATE tasks SET priority = 0 WHERE id IN (?); COMMIT',
      ],
    ]);
  });

  it('states the bounds of group commit as they are', () => {
    const source = read('src/database/group-commit.ts');
    const number = (name: string): number[] =>
      [...new RegExp(`^const ${name}.* = (.*);`, 'm').exec(source)![1]!.matchAll(/[\d_]+/g)].map(([digits]) =>
        Number(digits.replaceAll('_', '')),
      );
    const bounds = PAGE.slice(PAGE.indexOf('| bound'));
    const stated = [...bounds.matchAll(/\d[\d,]*/g)].map(([digits]) => Number(digits.replaceAll(',', '')));
    expect(stated).toEqual([
      ...number('BATCH'),
      number('BATCH')[0]! / number('PLENTY')[0]!,
      ...number('SLOW'),
      ...number('TRACKS'),
      ...number('WAITING'),
      429,
    ]);
  });
});
