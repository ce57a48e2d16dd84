import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const CLI = resolve(import.meta.dirname, '../../node_modules/openapi-typescript/bin/cli.js');

/** TypeScript that openapi-typescript makes of an OpenAPI document, as anyone would have it made. */
export async function generateTypes(document: unknown): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'softdd-task-types-'));
  try {
    writeFileSync(join(folder, 'openapi.json'), JSON.stringify(document));
    // What has a default may be left out of a request.
    const args = ['openapi.json', '--output', 'generated.ts', '--default-non-nullable', 'false'];
    await promisify(execFile)(process.execPath, [CLI, ...args], { cwd: folder });
    return readFileSync(join(folder, 'generated.ts'), 'utf8');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
