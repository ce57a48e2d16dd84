import { DataSource } from 'typeorm';
import { runTaskMigrations } from '../../index.js';
import { readConfig } from '../config.js';
import { connecting } from '../connecting.js';
import { withoutPassword } from '../database.js';
import type { Command } from './command.js';

/** `npm run migrate`: runs the pending migrations under a lock, and nothing else. */
export const migrate: Command = async (_, environment) => {
  const config = readConfig(environment);
  const ran = await connecting(config, async () => {
    const dataSource = await new DataSource(config.database).initialize();
    return runTaskMigrations(dataSource, { timeZone: config.task.timeZone }).finally(() => dataSource.destroy());
  });
  return {
    lines: [`${withoutPassword(config.databaseUrl)}: ${ran.length > 0 ? `ran ${ran.join(', ')}` : 'up to date'}`],
  };
};
