import { DataSource } from 'typeorm';
import { taskMigrations } from './src/index.js';
import { readConfig } from './src/server/config.js';

/** For TypeORM's own command line: `npm run typeorm -- migration:show`, `migration:run`, `migration:revert`. */
const { database, task } = readConfig();

export default new DataSource({ ...database, migrations: taskMigrations({ timeZone: task.timeZone }) });
