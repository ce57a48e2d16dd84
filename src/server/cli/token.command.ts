import { userIdRule } from '../../settings.js';
import { readConfig } from '../config.js';
import { loadJwtSecret, userToken } from '../secrets.js';
import { type Command, UsageError } from './command.js';

/** `npm run token -- <user> [lifetime]`: prints a user's token. */
export const token: Command = async ([user, lifetime = '30d', ...more], environment) => {
  if (!user || more.length > 0) throw new UsageError('Usage: npm run token -- <user> [lifetime such as 30d or 12h]');
  const problem = userIdRule(user);
  if (problem) throw new UsageError(`The user ${problem.msg}.`);
  if (!/^[1-9]\d{0,5}[smhdwy]$/.test(lifetime))
    throw new UsageError(
      `The lifetime must be such as 30d or 12h (s, m, h, d, w, y), not ${JSON.stringify(lifetime)}.`,
    );
  return { lines: [await userToken(loadJwtSecret(readConfig(environment)), user, lifetime)] };
};
