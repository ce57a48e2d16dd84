import { Sql } from 'sql-template-tag';

/** A statement that grows: a template with hundreds of values in it is slow to make. */
export class GrowingSql {
  private readonly strings: string[];
  private readonly values: unknown[] = [];

  constructor(text: string) {
    this.strings = [text];
  }

  add(text: string): this {
    this.strings[this.strings.length - 1] += text;
    return this;
  }

  value(value: unknown): this {
    this.values.push(value);
    this.strings.push('');
    return this;
  }

  end(): Sql {
    return new Sql(this.strings, this.values);
  }
}
