import type { ApiResponseOptions } from '@nestjs/swagger';
import type { TaskErrorCatalogue, TaskErrorName } from '../../contract/errors.js';
import type { TaskResponse } from '../../contract/response.js';

export type Schema = NonNullable<Extract<ApiResponseOptions, { schema: unknown }>['schema']>;

/** On what stands for the data: its schema, which stays with it where an envelope copies it into itself. */
const SCHEMA = Symbol('schema');

/** Something put into the envelope, to see where it comes out. */
interface Slot {
  value: unknown;
  schema: Schema;
  optional?: boolean;
}

/** The envelope is what the response class makes of the data: where the data comes out, its schema stands. */
export function describeSuccess(envelope: TaskResponse, schema: Schema): Schema {
  const data = { [SCHEMA]: schema };
  return describeValue(envelope.success(data), [{ value: data, schema }], 'As in every answer that worked.');
}

export function describeFailure(envelope: TaskResponse, names: TaskErrorName[], errors: TaskErrorCatalogue): Schema {
  const { code, msg } = errors[names[0]!];
  const detail = {};
  const codes = names.map((name) => `${errors[name].code} ${name}`).join(', ');
  const slots: Slot[] = [
    {
      value: code,
      schema: {
        type: 'integer',
        enum: [...new Set(names.map((name) => errors[name].code))],
        description: `Which failure, for programs: ${codes}.`,
        example: code,
      },
    },
    { value: msg, schema: { type: 'string', description: 'Which failure, for people.', example: msg } },
    { value: detail, schema: detailOf(names), optional: true },
  ];
  return describeValue(envelope.failure({ code, msg, detail }), slots, 'As in every answer that failed.');
}

/** A value as it is in the envelope; `constant` describes what the envelope adds of its own. */
function describeValue(value: unknown, slots: Slot[], constant: string): Schema {
  const slot = slots.find((candidate) => candidate.value === value);
  if (slot) return slot.schema;
  if (value === null) return { type: 'object', nullable: true, description: constant };
  if (Array.isArray(value))
    return {
      type: 'array',
      description: constant,
      items: value.length > 0 ? describeValue(value[0], slots, constant) : {},
    };
  if (typeof value === 'object') {
    const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
    const optional = new Set(slots.filter((candidate) => candidate.optional).map((candidate) => candidate.value));
    const schema: Schema = {
      type: 'object',
      required: entries.filter(([, inner]) => !optional.has(inner)).map(([name]) => name),
      properties: Object.fromEntries(entries.map(([name, inner]) => [name, describeValue(inner, slots, constant)])),
    };
    if (schema.required!.length === 0) delete schema.required;
    const copied = (value as { [SCHEMA]?: Schema })[SCHEMA];
    return copied ? { allOf: [copied, schema] } : schema;
  }
  const type = typeof value === 'boolean' ? 'boolean' : typeof value !== 'number' ? 'string' : 'number';
  return { type: Number.isInteger(value) ? 'integer' : type, description: constant, example: value };
}

const PROBLEMS: Schema = {
  type: 'array',
  description: 'What is wrong, one entry an offence.',
  items: {
    type: 'object',
    required: ['field', 'rule', 'msg'],
    properties: {
      field: { type: 'string', description: 'Name of the parameter, or `body`, or `query`.', example: 'input' },
      rule: {
        type: 'string',
        description: 'The rule that it breaks, a stable name for programs.',
        example: 'isDefined',
      },
      msg: { type: 'string', description: 'What it may hold, for people.', example: 'input is required' },
      fits: {
        type: 'integer',
        description: 'With rule `answerBytes`: how many of the tasks, from the first, one answer holds.',
        example: 10,
      },
      ids: {
        type: 'array',
        items: { type: 'string' },
        description: 'With rule `answerBytes`: the tasks that the Idempotency-Key stands for.',
        example: [],
      },
    },
  },
};

const MSG: Schema = { type: 'string', description: 'What stands in the way, for people.' };

const STATE: Schema = {
  type: 'object',
  required: ['status', 'allowed', 'msg'],
  properties: {
    status: { type: 'integer', description: 'Where the task is now.', example: 30 },
    allowed: {
      type: 'array',
      items: { type: 'integer' },
      description: 'Statuses that it may be moved to.',
      example: [],
    },
    msg: { ...MSG, example: 'the task is finished' },
  },
};

const LEASE: Schema = {
  type: 'object',
  required: ['status', 'msg', 'task'],
  properties: {
    status: { type: 'integer', description: 'Where the task is now.', example: -20 },
    msg: { ...MSG, example: 'its lease is over' },
    task: { type: 'object', additionalProperties: true, description: 'The task as it is now.' },
  },
};

const QUOTA: Schema = {
  type: 'object',
  required: ['limit', 'active', 'msg'],
  properties: {
    limit: { type: 'integer', description: 'Most tasks that have not ended.', example: 100 },
    active: {
      type: 'integer',
      description: 'How many there are; one more than the limit stands for any more.',
      example: 100,
    },
    msg: { ...MSG, example: 'at most 100 tasks at a time' },
  },
};

const DETAILS: Partial<Record<TaskErrorName, Schema>> = {
  INVALID_PARAM: PROBLEMS,
  TOO_LARGE: PROBLEMS,
  UNSUPPORTED_MEDIA_TYPE: PROBLEMS,
  INVALID_STATE: STATE,
  LEASE_LOST: LEASE,
  TOO_MANY_TASK: QUOTA,
  IDEMPOTENCY_CONFLICT: {
    type: 'object',
    required: ['msg'],
    properties: {
      msg: { ...MSG, example: 'this Idempotency-Key came with other content before: a new task needs a new key' },
    },
  },
};

function detailOf(names: TaskErrorName[]): Schema {
  const schemas = [...new Set(names.map((name) => DETAILS[name]))];
  const known = schemas.filter((schema) => schema !== undefined);
  if (known.length < schemas.length) return { description: 'More on the failure, where there is more to say.' };
  return known.length === 1 ? known[0]! : { anyOf: known, description: 'More on the failure.' };
}
