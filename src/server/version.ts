import { createRequire } from 'node:module';

/** The version from package.json, which is the only place where it is set. */
export const { version: VERSION } = createRequire(import.meta.url)('@softdd/task/package.json') as { version: string };
