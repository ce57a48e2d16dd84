import { DataSource } from 'typeorm';
import { runTaskMigrations } from '../migrations/runner.js';
import { readConfig } from './config.js';
import { connecting } from './connecting.js';
import { withoutPassword } from './database.js';
import { exitWith } from './failure.js';

/** `npm run migrate`: runs the pending migrations, under a lock, and nothing else. */
try {
  const config = readConfig();
  const ran = await connecting(config, async () => {
    const dataSource = await new DataSource(config.database).initialize();
    return runTaskMigrations(dataSource, { timeZone: config.task.timeZone }).finally(() => dataSource.destroy());
  });
  process.stdout.write(
    `${withoutPassword(config.databaseUrl)}: ${ran.length > 0 ? `ran ${ran.join(', ')}` : 'up to date'}\n`,
  );
} catch (error) {
  exitWith(error);
}
