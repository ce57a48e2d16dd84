import { readConfig } from './config.js';
import { ConfigError, exitWith } from './failure.js';
import { loadSecrets, userToken } from './secrets.js';

/** `npm run token -- <user> [lifetime]`: prints a user's token. */
try {
  const [user, lifetime = '30d'] = process.argv.slice(2);
  if (!user) throw new Error('Usage: npm run token -- <user> [lifetime, as in 30d or 12h]');
  if (!/^\d+ ?(s|m|h|d|w|y)$/.test(lifetime))
    throw new ConfigError('lifetime', lifetime, 'it must be such as 30d or 12h');
  process.stdout.write(`${await userToken(loadSecrets(readConfig()).jwtSecret, user, lifetime)}\n`);
} catch (error) {
  exitWith(error);
}
