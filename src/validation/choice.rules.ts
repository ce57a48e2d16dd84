import { type Rule, type ValueRule, type ValueSchema, valueRule } from './rule.js';

/** One of these texts. */
export const oneOf = (values: readonly string[]): ValueRule =>
  valueRule(
    (value) =>
      values.includes(value as string) ? undefined : { rule: 'isIn', msg: `must be one of ${values.join(', ')}` },
    { type: 'string', enum: values },
  );

const isObject: Rule = (value) =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? undefined
    : { rule: 'isObject', msg: 'must be an object, or the JSON text of one' };
export const objectRule = valueRule(isObject, { type: 'object', additionalProperties: true });

const isOrigin: Rule = (value) =>
  typeof value === 'string' && URL.canParse(value) && new URL(value).origin === value
    ? undefined
    : { rule: 'origin', msg: 'must be an origin, such as https://app.example.com' };
export const originRule = valueRule(isOrigin, { type: 'string', format: 'uri', maxLength: 300 });

/** The same, or nothing: null or an empty text removes the value. */
export const orNothing = (rule: ValueRule): ValueRule =>
  valueRule((value) => (value === null ? undefined : rule(value)), orNull(rule.schema), { emptyRemoves: true });

/** OpenAPI 3.0 allows `nullable` only beside a type. */
const orNull = ({ oneOf, ...schema }: ValueSchema): ValueSchema =>
  oneOf
    ? { ...schema, oneOf: oneOf.map((one, place) => (place === 0 ? { ...one, nullable: true } : one)) }
    : { ...schema, nullable: true };
