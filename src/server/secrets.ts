import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { SignJWT } from 'jose';
import type { ServerConfig } from './config.js';
import { makeFolder } from './connecting.js';
import { ConfigError, lineOf } from './failure.js';

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

/** Where secrets are kept that were not given. */
export const secretsFile = ({ dataFolder }: ServerConfig): string => resolve(dataFolder, 'secrets.json');

/** Secrets as given, else as kept in the data folder, else made now: keepSecrets() keeps those. */
export function loadSecrets(config: ServerConfig): Secrets {
  const { jwtSecret, task } = config;
  const given = { jwtSecret: jwtSecret !== undefined, workerTokens: (task.workerTokens ?? []).length > 0 };
  const kept = given.jwtSecret && given.workerTokens ? {} : readKept(config);
  return {
    jwtSecret: jwtSecret ?? kept.jwtSecret ?? random(),
    workerTokens: given.workerTokens ? task.workerTokens! : [kept.workerToken ?? random()],
    made: {
      jwtSecret: !given.jwtSecret && kept.jwtSecret === undefined,
      workerTokens: !given.workerTokens && kept.workerToken === undefined,
    },
  };
}

/** Keeps what was made, for the owner's eyes alone. */
export function keepSecrets(config: ServerConfig, { jwtSecret, workerTokens: [workerToken], made }: Secrets): void {
  if (!made.jwtSecret && !made.workerTokens) return;
  keep(config, {
    ...readKept(config),
    ...(made.jwtSecret && { jwtSecret }),
    ...(made.workerTokens && { workerToken }),
  });
}

/** The secret of user tokens alone: the worker token is made, and shown, by the server's first start. */
export function loadJwtSecret(config: ServerConfig): string {
  if (config.jwtSecret !== undefined) return config.jwtSecret;
  const kept = readKept(config);
  if (kept.jwtSecret !== undefined) return kept.jwtSecret;
  const jwtSecret = random();
  keep(config, { ...kept, jwtSecret });
  return jwtSecret;
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

function readKept(config: ServerConfig): Kept {
  const file = secretsFile(config);
  if (!existsSync(file)) return {};
  try {
    const kept: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (typeof kept !== 'object' || kept === null) throw new TypeError('it holds no object');
    return kept as Kept;
  } catch (error) {
    const remedy = `mend ${file}, which can't be read, or remove it to have new secrets made`;
    throw new ConfigError('TASK_JWT_SECRET', config.jwtSecret ? '…' : '', `${remedy} (${lineOf(error)})`);
  }
}

/** Whole or not at all: a crash in between leaves the old file. */
function keep(config: ServerConfig, kept: Kept): void {
  const file = secretsFile(config);
  const temporary = `${file}.${process.pid}`;
  try {
    makeFolder(config.dataFolder);
    writeFileSync(temporary, `${JSON.stringify(kept, null, 2)}\n`, { mode: 0o600 });
    chmodSync(temporary, 0o600);
    renameSync(temporary, file);
  } catch (error) {
    const why = `${config.dataFolder} can't be written to (${lineOf(error)})`;
    if (config.database.type === 'better-sqlite3') throw new ConfigError('DATABASE_URL', config.databaseUrl, why);
    throw new ConfigError(
      'TASK_JWT_SECRET',
      '',
      `${why}: give this and TASK_WORKER_TOKENS, or let secrets be kept there`,
    );
  }
}
