import { randomBytes } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { SignJWT } from 'jose';
import type { ServerConfig } from './config.js';
import { valueProblems } from '../settings.js';
import { isShort, SHORTEST } from './config.js';
import { ConfigError, lineOf } from './failure.js';
import { makeFolder } from './make-folder.js';

export interface Secrets {
  jwtSecret: string;
  workerTokens: string[];
  operatorTokens: string[];
  /** Which of them were just created: these may be shown once. */
  made: Record<Secret, boolean>;
}

type Secret = 'jwtSecret' | 'workerTokens' | 'operatorTokens';

interface StoredSecrets {
  jwtSecret?: string;
  workerToken?: string;
  operatorToken?: string;
}

/** The file for secrets that were not given. */
export const secretsFile = ({ dataFolder }: ServerConfig): string => resolve(dataFolder, 'secrets.json');

/** Secrets as given, else as stored in the data folder, else new ones. keepSecrets() stores the new ones. */
export function loadSecrets(config: ServerConfig): Secrets {
  const { jwtSecret, task } = config;
  const { workerTokens = [], operatorTokens = [] } = task;
  const given = { jwtSecret: jwtSecret !== undefined, workerTokens: workerTokens.length > 0 };
  // If both others are given there is no file of secrets, and there are operators only if their tokens are given, too.
  const isKept = !given.jwtSecret || !given.workerTokens;
  const kept = isKept ? readKept(config) : {};
  const isNewOperator = isKept && operatorTokens.length === 0;
  return {
    jwtSecret: jwtSecret ?? kept.jwtSecret ?? random(),
    workerTokens: given.workerTokens ? workerTokens : [kept.workerToken ?? random()],
    operatorTokens: isNewOperator ? [kept.operatorToken ?? random()] : operatorTokens,
    made: {
      jwtSecret: !given.jwtSecret && kept.jwtSecret === undefined,
      workerTokens: !given.workerTokens && kept.workerToken === undefined,
      operatorTokens: isNewOperator && kept.operatorToken === undefined,
    },
  };
}

/** Stores new secrets so that only the owner can read them. */
export function keepSecrets(config: ServerConfig, { jwtSecret, workerTokens, operatorTokens, made }: Secrets): void {
  if (!Object.values(made).includes(true)) return;
  keep(config, {
    ...readKept(config),
    ...(made.jwtSecret && { jwtSecret }),
    ...(made.workerTokens && { workerToken: workerTokens[0]! }),
    ...(made.operatorTokens && { operatorToken: operatorTokens[0]! }),
  });
}

/** Only the secret of user tokens: the server's first start creates and shows the worker token. */
export function loadJwtSecret(config: ServerConfig): string {
  if (config.jwtSecret !== undefined) return config.jwtSecret;
  const kept = readKept(config);
  if (kept.jwtSecret !== undefined) return kept.jwtSecret;
  const jwtSecret = random();
  keep(config, { ...kept, jwtSecret });
  return jwtSecret;
}

/** A token for one user. `lifetime` such as `30d` or `12h`. */
export const userToken = (secret: string, user: string, lifetime = '30d'): Promise<string> =>
  new SignJWT()
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(user)
    .setIssuedAt()
    .setExpirationTime(lifetime)
    .sign(new TextEncoder().encode(secret));

const random = (): string => randomBytes(32).toString('base64url');

function readKept(config: ServerConfig): StoredSecrets {
  const file = secretsFile(config);
  try {
    const kept = JSON.parse(readOwn(file)) as StoredSecrets | null;
    if (typeof kept !== 'object' || kept === null) throw new TypeError('it does not contain a JSON object');
    const { jwtSecret, workerToken, operatorToken } = kept;
    if (jwtSecret !== undefined && (typeof jwtSecret !== 'string' || isShort(jwtSecret)))
      throw new TypeError(`its jwtSecret must be ${SHORTEST}`);
    if (workerToken !== undefined && valueProblems({ workerTokens: [workerToken] }).length > 0)
      throw new TypeError('its workerToken must be at least 16 printable characters');
    if (operatorToken !== undefined && valueProblems({ operatorTokens: [operatorToken] }).length > 0)
      throw new TypeError('its operatorToken must be at least 16 printable characters');
    return kept;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return {};
    // A parser's message shows some of the text.
    const why = error instanceof SyntaxError ? 'it is not JSON' : lineOf(error);
    const remedy = `repair ${file}, which cannot be used, or remove it to get new secrets`;
    throw new ConfigError('TASK_JWT_SECRET', config.jwtSecret ? '…' : '', `${remedy} (${why})`);
  }
}

/** Reads a file that nobody else may have written or may read, because its secrets give access to everything. */
function readOwn(file: string): string {
  let opened: number;
  try {
    // For a special file such as a pipe, opening does not wait.
    opened = openSync(file, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ELOOP')
      throw new Error('it is a symbolic link; it must be a file', { cause: error });
    throw error;
  }
  try {
    const { uid, mode } = fstatSync(opened);
    const user = process.geteuid?.();
    if ((mode & constants.S_IFMT) !== constants.S_IFREG) throw new Error('it is not a regular file');
    if (user !== undefined && uid !== user)
      throw new Error(`it belongs to user ${uid}, and this process runs as user ${user}; run as the file's owner`);
    if (user !== undefined && (mode & 0o077) !== 0)
      throw new Error(
        `others may read or write it (mode ${(mode & 0o777).toString(8)}); if nobody has, run chmod 600 on it`,
      );
    return readFileSync(opened, 'utf8');
  } finally {
    closeSync(opened);
  }
}

/** Writes the whole file or nothing: after a crash in between the old file is still there. */
function keep(config: ServerConfig, kept: StoredSecrets): void {
  const file = secretsFile(config);
  const temporary = `${file}.${random()}`;
  try {
    makeFolder(config.dataFolder);
    writeFileSync(temporary, `${JSON.stringify(kept, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
    renameSync(temporary, file);
  } catch (error) {
    const why = `${config.dataFolder} cannot be written to (${lineOf(error)})`;
    if (config.database.type === 'better-sqlite3') throw new ConfigError('DATABASE_URL', config.databaseUrl, why);
    throw new ConfigError(
      'TASK_JWT_SECRET',
      '',
      `${why}: set this, TASK_WORKER_TOKENS and TASK_OPERATOR_TOKENS, or make the folder writable`,
    );
  }
}
