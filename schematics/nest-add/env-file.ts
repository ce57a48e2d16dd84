import { randomBytes } from 'node:crypto';
import type { Tree } from '@angular-devkit/schematics';
import type { NewDataSource } from './data-source.js';

export const ENV_FILE = '.env';

/** Adds the keys that are missing. A key that is there keeps its value, and every other line stays as it is. */
export function addKeys(tree: Tree, dataSource: NewDataSource | undefined): void {
  const text = tree.exists(ENV_FILE) ? tree.readText(ENV_FILE) : '';
  const keys: [name: string, comment: string, value: string][] = [
    ['WORKER_TOKEN', 'Workers send it as `Authorization: Bearer …`.', randomBytes(24).toString('hex')],
  ];
  if (dataSource) keys.push(['DATABASE_URL', "The queue's database; it must exist.", dataSource.url]);
  const missing = keys.filter(([name]) => !new RegExp(`^\\s*(export\\s+)?${name}\\s*=`, 'm').test(text));
  if (missing.length === 0) return;
  const newLine = text.includes('\r\n') ? '\r\n' : '\n';
  const before = text === '' || text.endsWith('\n') ? text : text + newLine;
  const lines = missing.flatMap(([name, comment, value]) => [`# ${comment}`, `${name}=${value}`, '']);
  // Between groups stands an empty line, and none at the end.
  const added = (before === '' ? '' : newLine) + lines.slice(0, -1).join(newLine) + newLine;
  if (tree.exists(ENV_FILE)) tree.overwrite(ENV_FILE, before + added);
  else tree.create(ENV_FILE, added);
}

/** Whether git leaves the file alone; true where there is no .gitignore, and so perhaps no git. */
export function isIgnored(tree: Tree): boolean {
  if (!tree.exists('.gitignore')) return true;
  return /^\/?\.env(\*|\.\*)?\s*$/m.test(tree.readText('.gitignore'));
}
