import { availableParallelism } from 'node:os';

/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  // A file by itself, or, quicker, all files of a folder in one go: npm test.
  testMatch: process.env.TEST_SUITES ? ['**/suites/*.suite.ts'] : ['**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: {
    // It exists only once it is built.
    '^\\./page-files\\.js$': '<rootDir>/dist/src/dashboard/page-files.js',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
          keepClassNames: true,
        },
        module: { type: 'es6' },
      },
    ],
  },
  coverageProvider: 'v8',
  globalSetup: '<rootDir>/test/support/global-setup.mjs',
  // A machine may be eight times slower than another.
  testTimeout: 240_000,
  // Many tests wait: for timers, processes, disks.
  maxWorkers: Math.ceil(availableParallelism() * 1.5),
};
