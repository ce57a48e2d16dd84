/** What is wrong with a value. */
export interface RuleProblem {
  /** Stable name of the broken rule. */
  rule: string;
  /** Which values are allowed. */
  msg: string;
}
/** A check of a value. Returns what is wrong, or undefined. */
export type Rule = (value: unknown) => RuleProblem | undefined;

/** What a rule allows, in terms of JSON Schema. */
export interface ValueSchema {
  type?: 'string' | 'integer' | 'boolean' | 'array' | 'object';
  enum?: readonly string[];
  nullable?: true;
  additionalProperties?: true;
  properties?: Record<string, ValueSchema & { description: string; example?: string }>;
  required?: string[];
  format?: 'date-time' | 'uri';
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  items?: ValueSchema;
  oneOf?: (ValueSchema & { description?: string })[];
  allOf?: ValueSchema[];
}

/** The rule of a value in a request: a check and its JSON schema together. */
export interface ValueRule extends RuleWords {
  (value: unknown): RuleProblem | undefined;
  readonly schema: ValueSchema;
}

interface RuleWords {
  /** Bound of a text, for people. */
  readonly bound?: string;
  /** A list of ids that may stand in a text, with commas in between. */
  readonly takesCommas?: true;
  /** Legacy clients may send a JSON number as this text. */
  readonly takesNumber?: true;
  /** null or an empty text removes the value. For other rules null means absent, because legacy clients send it. */
  readonly emptyRemoves?: true;
  /** Name of the object's type in the clients. */
  readonly typeName?: string;
}

/** A number as people read it: 65,535. */
export const figure = (value: number): string => value.toLocaleString('en');

export const valueRule = (check: Rule, schema: ValueSchema, words: RuleWords = {}): ValueRule =>
  Object.assign((value: unknown) => check(value), { schema, ...words });
