/** A column as every engine understands it. */
export type StoredColumn = Kind & {
  nullable?: true;
  default?: number | '';
  /**
   * A column of the legacy table, which has it always, or perhaps because its host added it. In an adopted table it is
   * compared with the declaration, and changed if it differs. Other existing columns are not touched.
   */
  original?: 'always' | 'perhaps';
};

/** What a column holds. Each engine has one SQL type for it. */
type Kind =
  /**
   * `id`: a UUID. `digest`: a hash in hexadecimal. `key`: other text that compares byte for byte, trailing spaces
   * included. `string`: text that compares as the database does by default.
   */
  | { kind: 'id' | 'digest' | 'key' | 'string'; length: number }
  /**
   * `text`: 65,535 bytes on MySQL. `long text`: 16 MiB there. `tiny`: -128 to 127. `small`: 16 bits. `int`: 32 bits.
   * `big`: 64 bits. `time`: UTC, with milliseconds. `local time`: `created_at` or `updated_at`. It defaults to now and
   * stays as an adopted table has it, and a row without one comes first in an index.
   */
  | { kind: 'text' | 'long text' | 'tiny' | 'small' | 'int' | 'big' | 'time' | 'local time'; length?: never };

export const ID = { kind: 'id', length: 36 } as const;
export const DIGEST = { kind: 'digest', length: 64 } as const;
