import { BOUNDS } from '../protocol/bounds.js';
import { oneOf } from './choice.rules.js';
import { type Rule, valueRule, type ValueSchema } from './rule.js';
import { shortText } from './rules.js';

const FIELDS = {
  key: shortText(BOUNDS.uniqueKeyLength),
  until: oneOf(['claimed', 'ended']),
  onConflict: oneOf(['return', 'replace']),
};

const isUnique: Rule = (value) => {
  const names = Object.keys(FIELDS).join(', ');
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { rule: 'unique', msg: `must be an object { ${names} }, or the JSON text of one` };
  const given = value as Record<string, unknown>;
  const stranger = Object.keys(given).find((name) => !Object.hasOwn(FIELDS, name));
  if (stranger !== undefined) return { rule: 'unique', msg: `has no ${stranger}; it has ${names}` };
  if (given.key === undefined)
    return { rule: 'unique', msg: 'must have key: the text that names what is to be unique' };
  for (const [name, rule] of Object.entries(FIELDS)) {
    const problem = given[name] === undefined ? undefined : rule(given[name]);
    if (problem) return { rule: 'unique', msg: `must have ${name}, which ${problem.msg}` };
  }
  return undefined;
};

const SCHEMA: ValueSchema = {
  type: 'object',
  properties: {
    key: {
      ...FIELDS.key.schema,
      description: 'At most one task of the owner in this service holds it. Compared byte for byte.',
      example: 'reindex-42',
    },
    until: {
      ...FIELDS.until.schema,
      description:
        'When the key is free again: when a worker takes the task for the first time, or (the default) when it has ended.',
    },
    onConflict: {
      ...FIELDS.onConflict.schema,
      description:
        'If another task holds the key: it is returned as it is (the default), or, while no worker has had it, with the content ' +
        'of this request.',
    },
  },
  required: ['key'],
};

/** Rule for what makes a task unique. `allOf` keeps what the object requires apart from whether it is required. */
export const uniqueRule = valueRule(isUnique, { allOf: [SCHEMA] }, { typeName: 'Unique' });
