import { chmodSync, chownSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { readConfig } from '../../../src/server/config.js';
import { lineOf } from '../../../src/server/failure.js';
import { loadSecrets, type Secrets } from '../../../src/server/secrets.js';
import { newFolder } from '../../support/server.js';

describe('kept secrets that others can know or choose', () => {
  const good = { jwtSecret: 'x'.repeat(43), workerToken: 'y'.repeat(43) };
  const load = (text: string, mode: number, change?: (file: string) => void): Secrets => {
    const folder = newFolder();
    const file = join(folder, 'secrets.json');
    writeFileSync(file, text, { mode });
    chmodSync(file, mode);
    change?.(file);
    return loadSecrets(readConfig({ DATABASE_URL: `sqlite:${folder}/task.sqlite` }));
  };

  const REFUSED: [string, string, number, string, ((file: string) => void)?][] = [
    ['a secret of one character', '{"jwtSecret":"x"}', 0o600, 'its jwtSecret must be at least 32 bytes'],
    ['a secret that is no text', '{"jwtSecret":[1]}', 0o600, 'its jwtSecret must be at least 32 bytes'],
    [
      'a short worker token',
      JSON.stringify({ ...good, workerToken: 'y' }),
      0o600,
      'its workerToken must be at least 16',
    ],
    ['a file that others may read', JSON.stringify(good), 0o644, 'others may read or write it (mode 644)'],
    ['a file that others may write', JSON.stringify(good), 0o666, 'others may read or write it (mode 666)'],
    [
      'a symbolic link',
      JSON.stringify(good),
      0o600,
      'it is a symbolic link; it must be a file',
      (file) => {
        renameSync(file, `${file}.other`);
        symlinkSync(`${file}.other`, file);
      },
    ],
    ...(process.geteuid?.() === 0
      ? [
          [
            "another owner's file",
            JSON.stringify(good),
            0o600,
            'it belongs to user 12345',
            (file: string) => chownSync(file, 12345, 12345),
          ] as [string, string, number, string, (file: string) => void],
        ]
      : []),
  ];
  it.each(REFUSED.map(([what, ...how]) => ({ what, how })))('are refused: $what', ({ how }) => {
    const [text, mode, why, change] = how;
    let line = '';
    try {
      load(text, mode, change);
    } catch (error) {
      line = lineOf(error);
    }
    expect(line).toMatch(/^TASK_JWT_SECRET holds "": repair .*secrets\.json, which cannot be used, or remove it/);
    expect(line).toContain(why);
  });

  it('are taken from a file of the right form', () => {
    expect(load(JSON.stringify(good), 0o600)).toMatchObject({
      jwtSecret: good.jwtSecret,
      workerTokens: [good.workerToken],
    });
  });
});
