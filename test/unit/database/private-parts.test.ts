import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from '@jest/globals';
import { type DataSource } from 'typeorm';
import { obtainMysql, sqliteConnection } from '../../../src/database/typeorm-internals.js';
import { needBuild } from '../../support/build.js';
import { ALL_PARTS, tryPrivateParts } from '../../support/private-parts.js';

const ROOT = resolve(import.meta.dirname, '../../..');

it('TypeORM, mysql2 and pg have every private part that the queue uses', async () => {
  needBuild();
  const { version, report } = await tryPrivateParts(ROOT);
  expect(report).toEqual(ALL_PARTS);
  expect(version).toMatch(/^1\./);
});

it('a part that has moved is named, with a remedy', () => {
  const dataSource = { driver: {}, options: { type: 'mysql' } } as unknown as DataSource;
  expect(() => obtainMysql(dataSource)).toThrow(/driver mysql has no `obtainMasterConnection`.*Install a release/);
  expect(() => sqliteConnection(dataSource)).toThrow('`databaseConnection`');
});

/** What only these files may name. */
const OWNERS: [file: string, words: RegExp][] = [
  [
    'typeorm-internals.ts',
    /\b(obtainMasterConnection|databaseConnection|prepareHydratedValue|preparePersistentValue|new MigrationExecutor)\b|\bdriver as unknown\b|from 'typeorm\//,
  ],
  ['pg-internals.ts', /\b(submittedNamedStatements|parsedStatements)\b|\.connection\?|\.Query\b/],
  ['mysql2-internals.ts', /\bstream\?\.destroy\b/],
];

it.each(OWNERS)('no file but %s uses these parts', (owner, words) => {
  const src = join(ROOT, 'src');
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  const users = files.filter((file) => words.test(readFileSync(join(src, file), 'utf8')));
  expect(users).toEqual([join('database', owner)]);
});
