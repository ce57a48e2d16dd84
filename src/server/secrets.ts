import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import type { ServerConfig } from './config.js';
import { ConfigError } from './failure.js';

export interface Secrets {
  jwtSecret: string;
  workerTokens: string[];
  /** Which of them were made just now: those may be shown, once. */
  made: { jwtSecret: boolean; workerTokens: boolean };
}

interface Kept {
  jwtSecret?: string;
  workerToken?: string;
}

/** Secrets as given, else as kept in the data folder, else made now and kept there for the owner's eyes alone. */
export function loadSecrets({ dataFolder, jwtSecret, task }: ServerConfig): Secrets {
  const file = join(dataFolder, 'secrets.json');
  const given = { jwtSecret: jwtSecret !== undefined, workerTokens: (task.workerTokens ?? []).length > 0 };
  const kept = given.jwtSecret && given.workerTokens ? {} : readKept(file);
  const made = {
    jwtSecret: !given.jwtSecret && kept.jwtSecret === undefined,
    workerTokens: !given.workerTokens && kept.workerToken === undefined,
  };
  if (made.jwtSecret) kept.jwtSecret = random();
  if (made.workerTokens) kept.workerToken = random();
  if (made.jwtSecret || made.workerTokens) keep(dataFolder, file, kept);
  return {
    jwtSecret: jwtSecret ?? kept.jwtSecret!,
    workerTokens: given.workerTokens ? task.workerTokens! : [kept.workerToken!],
    made,
  };
}

/** A token for one user; `lifetime` as in `30d` or `12h`. */
export const userToken = (secret: string, user: string, lifetime = '30d'): Promise<string> =>
  new SignJWT()
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(user)
    .setIssuedAt()
    .setExpirationTime(lifetime)
    .sign(new TextEncoder().encode(secret));

const random = (): string => randomBytes(32).toString('base64url');

function readKept(file: string): Kept {
  if (!existsSync(file)) return {};
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Kept;
  } catch {
    throw new ConfigError(
      'TASK_JWT_SECRET',
      '',
      `nothing, and ${file} can't be read: mend it, or remove it to have new secrets made`,
    );
  }
}

/** Whole or not at all: a crash in between leaves the old file. */
function keep(folder: string, file: string, kept: Kept): void {
  mkdirSync(folder, { recursive: true });
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, `${JSON.stringify(kept, null, 2)}\n`, { mode: 0o600 });
  chmodSync(temporary, 0o600);
  renameSync(temporary, file);
}
