import { userIdRule } from '../core/rules.js';
import { readConfig } from './config.js';
import { exitWith } from './failure.js';
import { loadJwtSecret, userToken } from './secrets.js';

/** `npm run token -- <user> [lifetime]`: prints a user's token. */
try {
  const [user, lifetime = '30d', ...more] = process.argv.slice(2);
  if (!user || more.length > 0) throw new Error('Usage: npm run token -- <user> [lifetime, as in 30d or 12h]');
  const problem = userIdRule(user);
  if (problem) throw new Error(`The user ${problem.msg}.`);
  if (!/^[1-9]\d{0,5}[smhdwy]$/.test(lifetime))
    throw new Error(`The lifetime must be such as 30d or 12h (s, m, h, d, w, y), not ${JSON.stringify(lifetime)}.`);
  process.stdout.write(`${await userToken(loadJwtSecret(readConfig()), user, lifetime)}\n`);
} catch (error) {
  exitWith(error);
}
