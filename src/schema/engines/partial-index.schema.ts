import type { SchemaStep } from '../schema.js';
import type { Column, Index, Table } from '../tables/table.js';
import { EngineSchema, type Found } from './engine.schema.js';

/** PostgreSQL and SQLite: both have partial indexes and indexes on expressions, and show how an index was declared. */
export abstract class PartialIndexSchema<F extends Found> extends EngineSchema<F> {
  protected async creation(table: Table): Promise<SchemaStep[]> {
    const create = { what: `table ${table.name} is missing`, sql: this.createTable(table) };
    return [create, ...(await this.indexSteps(table))];
  }

  protected async indexSteps(table: Table): Promise<SchemaStep[]> {
    const present = await this.indexesOf(table.name);
    return Object.entries(table.indexes).flatMap(([suffix, index]): SchemaStep[] => {
      const name = `${table.name}_${suffix}`;
      const text = this.indexText(table, index);
      const found = present.get(name);
      if (found === plain(text) || (found === undefined && !this.isWanted(index))) return [];
      const sql = `CREATE INDEX "${name}" ON ${this.path(table.name)} ${text}`;
      if (found === undefined) return [{ what: `index ${name} is missing`, sql }];
      const what = `index ${name} is different from what the options require`;
      return [
        { what, sql: `DROP INDEX ${this.path(name)}` },
        { what, sql },
      ];
    });
  }

  protected unadoption(added: string[]): SchemaStep[] {
    const { name: table, indexes } = this.tasks;
    return [
      ...Object.keys(indexes).map((suffix) => ({
        what: `index ${table}_${suffix}`,
        sql: `DROP INDEX IF EXISTS ${this.path(`${table}_${suffix}`)}`,
      })),
      ...added.map((name) => ({
        what: `column ${name}`,
        sql: `ALTER TABLE ${this.path(table)} DROP COLUMN "${name}"`,
      })),
    ];
  }

  /** An index's columns, and its predicate if it has one. */
  private indexText({ columns }: Table, { on, where, byBytes }: Index): string {
    const term = (name: string): string => {
      const { derived } = columns[name]!;
      return derived ? derived(this.engine, (status) => this.equals('status', status)) : this.word(name);
    };
    const parts = `(${on.map((name) => this.part(term(name), columns[name]!, name === byBytes)).join(', ')})`;
    if (!where) return parts;
    const { column, is, neither } = where;
    const predicate = is === 'not null' ? this.predicate(`${term(column)} IS NOT NULL`) : this.equals(column, is);
    if (!neither) return `${parts} WHERE ${predicate}`;
    const others = neither.of.map((value) => this.predicate(`${this.word(neither.column)} <> ${this.literal(value)}`));
    return `${parts} WHERE ${this.predicate([predicate, ...others].join(' AND '))}`;
  }

  private equals(column: string, value: number): string {
    return this.predicate(`${this.word(column)} = ${this.literal(value)}`);
  }

  protected quote(name: string): string {
    return `"${name}"`;
  }

  protected abstract createTable(table: Table): string;
  /** Index -> its columns and predicate, in the form of `plain`. */
  protected abstract indexesOf(table: string): Promise<Map<string, string>>;

  /** A column in an index. */
  protected word(name: string): string {
    return this.quote(name);
  }

  /** A column, or its expression, as a key of an index. */
  protected part(term: string, _column: Column, _byBytes: boolean): string {
    return term;
  }

  /** A condition of an index. */
  protected predicate(condition: string): string {
    return condition;
  }

  protected literal(value: number): string {
    return String(value);
  }
}

/** An index in one form, however the engine, we or TypeORM quote it and break its lines. */
export const plain = (text: string): string => text.replaceAll(/["\s]+/g, '').toLowerCase();
