import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

const DIST = resolve(import.meta.dirname, '../../dist');

/** For a test that runs what is in dist/: `npm test` builds it, `npm run jest` does not. */
export function needBuild(): void {
  if (!existsSync(resolve(DIST, '.built')))
    throw new Error('this test runs the build, and dist/ holds none: run `npm run build` first');
}

/** A file of the build, below dist/src. */
export function built(path: string): string {
  needBuild();
  return resolve(DIST, 'src', path);
}
