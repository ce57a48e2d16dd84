import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';

export const run = promisify(execFile);
const ROOT = resolve(import.meta.dirname ?? 'test/package', '../..');

export interface Packed {
  filename: string;
  /** Bytes of the tarball, and of what is in it. */
  size: number;
  unpackedSize: number;
  files: { path: string }[];
}

/** Packs the built package into a folder, as `npm publish` would. */
export async function pack(folder: string): Promise<Packed> {
  const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], {
    cwd: ROOT,
  });
  // npm 10 lists the packages, npm 11 keys them by name.
  return Object.values(JSON.parse(stdout) as Record<string, Packed>)[0]!;
}
