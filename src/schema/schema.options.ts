import { IsBoolean, Matches } from 'class-validator';
import { ISO_OFFSET } from '../database/offset.js';

/** How the tables are created and adopted. */
export class SchemaValues {
  /**
   * Offset from UTC in which an adopted table's `created_at` and `updated_at` are written, such as `+08:00`. Every
   * other time is UTC by the database's clock. @defaultValue '+00:00'
   */
  @Matches(ISO_OFFSET, { message: 'timeZone must be an offset such as +08:00' })
  timeZone: string = '+00:00';

  /**
   * Whether pending migrations run at start, under a lock. If false, the start only checks the schema. @defaultValue
   * true
   */
  @IsBoolean()
  migrate: boolean = true;
}
