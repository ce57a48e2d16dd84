import { offsetMinutes } from '../../database/offset.js';
import { MADE, type SchemaStep } from '../schema.js';
import type { Column, Table } from '../tables/table.js';
import type { Alteration, Found } from './engine.schema.js';
import { PartialIndexSchema, plain } from './partial-index.schema.js';

/** Words that SQLite does not accept as names without quotes, and that are likely names of columns. */
const RESERVED =
  /^(check|commit|default|from|group|index|limit|order|references|set|table|to|transaction|values|when)$/;

/** Strings compare byte for byte by default, and widths are not enforced: adoption only adds. */
export class SqliteTaskSchema extends PartialIndexSchema<Found> {
  protected readonly engine = 'sqlite';

  protected createTable(table: Table): string {
    return `${this.beginning(table.name)}\n  ${this.lines(table).join(',\n  ')}\n)`;
  }

  /** Text has no precision: rows of an adopted table have no milliseconds. */
  protected async columnsOf(table: string): Promise<Found[]> {
    const rows = (await this.runner.query(
      `SELECT c.name, t.sql FROM sqlite_master t JOIN pragma_table_info(t.name) c
      WHERE t.type IN ('table', 'view') AND t.name = ? ORDER BY c.cid`,
      [table],
    )) as { name: string; sql: string }[];
    return rows.map(({ name, sql }) => {
      // The table may have the same name as the column.
      const definitions = sql.split(`"${name}"`).slice(1);
      const says = (text: string) => definitions.some((definition) => definition.split(/[,"]/)[0]!.includes(text));
      return { name, isOurs: says(MADE), zoned: false, digits: says(MADE) || says('%f') ? 3 : 0 };
    });
  }

  protected async isMade(table: string): Promise<boolean> {
    const [row] = await this.definitions('name', table);
    return row?.sql.startsWith(this.beginning(table)) ?? false;
  }

  protected async indexesOf(table: string): Promise<Map<string, string>> {
    const rows = await this.definitions('tbl_name', table);
    const start = (name: string) => plain(`CREATE INDEX ${name} ON ${table}`);
    return new Map(rows.map(({ name, sql }) => [name, plain(sql).replace(start(name), '')]));
  }

  private async definitions(column: 'name' | 'tbl_name', table: string): Promise<{ name: string; sql: string }[]> {
    return (await this.runner.query(`SELECT name, sql FROM sqlite_master WHERE ${column} = ? AND sql IS NOT NULL`, [
      table,
    ])) as { name: string; sql: string }[];
  }

  protected addition(name: string, column: Column): string {
    // SQLite adds no column whose default is computed. The queue writes both times itself.
    return `ADD COLUMN "${name}" ${this.definition(column).replace(/ DEFAULT \(.*/, '')} /* ${MADE} */`;
  }

  protected adoption(alterations: Alteration[]): SchemaStep[] {
    return alterations.map(({ what, sql }) => ({ what, sql: `ALTER TABLE ${this.path(this.tasks.name)} ${sql}` }));
  }

  protected now(): string {
    const offset = offsetMinutes(this.options.timeZone);
    return `(strftime('%Y-%m-%d %H:%M:%f', 'now'${offset === 0 ? '' : `, '${offset} minutes'`}))`;
  }

  /** SQLite stores the text of a table, and our mark is in it. */
  private beginning(table: string): string {
    return `CREATE TABLE "${table}" ( /* ${MADE} */`;
  }

  protected override word(name: string): string {
    return RESERVED.test(name) ? this.quote(name) : name;
  }
}
