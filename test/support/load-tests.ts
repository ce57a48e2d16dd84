import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { it, jest } from '@jest/globals';

const TESTS = resolve(import.meta.dirname, '..');

/**
 * The folders of each suite. Three suites run at once, so none should be a long tail; but each loads Nest and TypeORM
 * anew, which takes seconds, so there are not many.
 */
const SUITES: Record<string, string[]> = {
  'unit-callbacks': ['unit/callbacks'],
  'unit-client': ['unit/client', 'unit/schematics'],
  'unit-http': ['unit/http'],
  'unit-queue': ['unit/queue', 'unit/database', 'unit/polling', 'unit/processors'],
  'unit-batches': ['unit/batches', 'unit/bulk'],
  'unit-flow': ['unit/flow'],
  'unit-schedules': ['unit/schedules'],
  'unit-rooms': [
    'unit/contract',
    'unit/live',
    'unit/metrics',
    'unit/operator',
    'unit/protocol',
    'unit/dashboard',
    'unit/options',
    'unit/validation',
  ],
  'unit-schema': ['unit/schema'],
  'e2e-operators': ['e2e/operators'],
  'e2e-dashboard': ['e2e/dashboard'],
  'e2e-users': ['e2e/users'],
  'e2e-hosts': ['e2e/hosts'],
  'e2e-workers': ['e2e/workers'],
  docs: ['docs'],
};

/** What a test says that runs on several engines. */
const OF_ENGINES = /\b(ENGINES|PLACES|MATRIX|BATTERY|describeOn|spread)\b/;

const testsIn = (folder: string): string[] =>
  readdirSync(join(TESTS, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => join(folder, file));

/**
 * Loads every test file of a suite into the one that calls this. Jest gives each file it runs all modules anew, and
 * loading Nest and TypeORM takes longer than most of our files do. In CI a test that fails has one more try: one of
 * thousands that fails by luck must not hold up a release. The run names it at its end, and it has to be mended.
 */
export async function loadSuite(name: string): Promise<void> {
  if (process.env.CI) jest.retryTimes(1, { logErrorsBeforeRetry: true });
  const inSuites = Object.values(SUITES).flat().flatMap(testsIn);
  const forgotten = testsIn('.').filter((file) => !file.startsWith('chaos') && !inSuites.includes(file));
  if (forgotten.length > 0) throw new Error(`no suite of test/support/load-tests.ts has ${forgotten.join(', ')}`);
  const files = SUITES[name]!.flatMap(testsIn)
    .map((file) => join(TESTS, file))
    // On engines that were named, nothing runs that would be the same on any.
    .filter((file) => !process.env.TEST_ENGINES || OF_ENGINES.test(readFileSync(file, 'utf8')));
  for (const file of files.sort()) await import(file);
  if (files.length === 0) it.skip('has tests of no engine', () => undefined);
}
