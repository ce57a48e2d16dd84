import type { Engine } from '../../database/dialects/dialect.js';
import type { Column } from '../tables/table.js';

/** The types of SQL without their lengths. */
const TYPES: Record<Column['kind'], Record<Engine, string>> = {
  id: { mysql: 'char', postgres: 'varchar', sqlite: 'varchar' },
  digest: { mysql: 'char', postgres: 'char', sqlite: 'char' },
  key: { mysql: 'varchar', postgres: 'varchar', sqlite: 'varchar' },
  string: { mysql: 'varchar', postgres: 'varchar', sqlite: 'varchar' },
  text: { mysql: 'text', postgres: 'text', sqlite: 'text' },
  'long text': { mysql: 'mediumtext', postgres: 'text', sqlite: 'text' },
  tiny: { mysql: 'tinyint', postgres: 'smallint', sqlite: 'smallint' },
  small: { mysql: 'smallint', postgres: 'smallint', sqlite: 'smallint' },
  int: { mysql: 'int', postgres: 'integer', sqlite: 'integer' },
  big: { mysql: 'bigint', postgres: 'bigint', sqlite: 'integer' },
  time: { mysql: 'datetime(3)', postgres: 'timestamptz(3)', sqlite: 'datetime' },
  'local time': { mysql: 'datetime(3)', postgres: 'timestamptz(3)', sqlite: 'datetime' },
};

export const columnType = (engine: Engine, { kind, length }: Column): string =>
  TYPES[kind][engine] + (length === undefined ? '' : `(${length})`);
