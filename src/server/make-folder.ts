import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

/** mkdirSync({ recursive: true }) of Node 20 never returns for a folder below /proc. */
export function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  try {
    // Only the owner may read tasks and secrets.
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    // Another process may have created it first.
    if (!existsSync(folder)) throw error;
  }
}
