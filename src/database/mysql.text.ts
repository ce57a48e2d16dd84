import type { Statement } from './transaction.js';

/** Writes a Date as the connection's own driver does: in the zone that the host has set. */
type WriteDate = (date: Date) => string;

/** Characters that some SQL mode treats as special inside quotes, or that end a text early in some tool. */
const NEEDS_HEX = /[\\\0]/;
const SPECIAL = /['\\\0]/;

/**
 * A statement with its values in the text, because one packet holds several statements: the protocol binds values for
 * one statement only, and a round trip for each costs more than all the rest (docs/performance.md).
 *
 * The text means the same under every `sql_mode` and character set of the session. It contains no backslash, so it does
 * not matter whether the server treats one as an escape. A quote is doubled, which every mode understands.
 */
export function mysqlText({ sql, strings = [sql], values }: Statement, writeDate: WriteDate): string {
  if (values.length !== strings.length - 1)
    throw new TypeError(`${values.length} values for ${strings.length - 1} places in: ${sql}`);
  let text = strings[0]!;
  for (let place = 0; place < values.length; place++) text += literal(values[place], writeDate) + strings[place + 1]!;
  return text;
}

function literal(value: unknown, writeDate: WriteDate): string {
  switch (typeof value) {
    case 'string':
      return quoted(value);
    case 'number':
      if (!Number.isFinite(value)) throw new TypeError(`${value} is not a value for a column`);
      return String(value);
    case 'bigint':
    case 'boolean':
      return String(value);
    case 'undefined':
      return 'NULL';
    case 'object':
      if (value === null) return 'NULL';
      if (value instanceof Date) return writeDate(value);
      if (value instanceof Uint8Array) return `X'${Buffer.from(value).toString('hex')}'`;
      // A list for IN (…).
      if (Array.isArray(value)) return value.map((one) => literal(one, writeDate)).join(', ');
      return quoted(String(value));
    default:
      throw new TypeError(`a ${typeof value} is not a value for a column`);
  }
}

function quoted(text: string): string {
  if (!SPECIAL.test(text)) return `'${text}'`;
  if (NEEDS_HEX.test(text)) return `_utf8mb4 X'${Buffer.from(text).toString('hex')}'`;
  return `'${text.replaceAll("'", "''")}'`;
}
