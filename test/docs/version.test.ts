import { expect, it } from '@jest/globals';
import { VERSION } from '../../src/server/version.js';
import { read } from '../support/documents.js';

/** package.json is the one place where the version is set: what has to repeat it follows. */
it('is the same in package.json, the server, the Python client and the newest release of the changelog', () => {
  const { version } = JSON.parse(read('package.json')) as { version: string };
  const [, python] = /^__version__ = "(.+)"$/m.exec(read('clients/python/softdd_task/__init__.py'))!;
  const [, released] = /^## (\d+\.\d+\.\d+\S*)/m.exec(read('CHANGELOG.md'))!;
  expect([VERSION, python, released]).toEqual([version, version, version]);
  expect(read('src/server/docs.ts')).toContain('.setVersion(VERSION)');
});
