import { BATCH_STATES } from '../../batches/batch.js';
import type { ApiResponseOptions } from '@nestjs/swagger';
import type { TaskErrorCatalogue, TaskErrorName } from '../../contract/errors.js';
import type { TaskResponse } from '../../contract/response.js';

export type Schema = NonNullable<Extract<ApiResponseOptions, { schema: unknown }>['schema']>;

/** A property of the sample data: its schema. An envelope that copies the data copies it, too. */
const SCHEMA = Symbol('schema');

/** A sample value that goes into the envelope, to find out where the envelope puts it. */
interface Slot {
  value: unknown;
  schema: Schema;
  optional?: boolean;
}

/** Calls the response class with sample data. The schema of the data stands where the result holds the sample. */
export function describeSuccess(envelope: TaskResponse, schema: Schema): Schema {
  const data = { [SCHEMA]: schema };
  return describeValue(envelope.success(data), [{ value: data, schema }], 'The same in every successful answer.');
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
        description: `The error code: ${codes}.`,
        example: code,
      },
    },
    { value: msg, schema: { type: 'string', description: 'The text of the error, for people.', example: msg } },
    { value: detail, schema: detailOf(names), optional: true },
  ];
  return describeValue(envelope.failure({ code, msg, detail }), slots, 'The same in every failed answer.');
}

/** The schema of a value in the envelope. `constant` describes values that the envelope adds itself. */
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
  description: 'The problems, one entry each.',
  items: {
    type: 'object',
    required: ['field', 'rule', 'msg'],
    properties: {
      field: { type: 'string', description: 'Name of the parameter, or `body`, or `query`.', example: 'input' },
      rule: {
        type: 'string',
        description: 'Stable name of the broken rule, for programs.',
        example: 'isDefined',
      },
      msg: { type: 'string', description: 'Which values are allowed, for people.', example: 'input is required' },
      fits: {
        type: 'integer',
        description: 'With rule `answerBytes`: how many tasks, from the first one on, fit in one answer.',
        example: 10,
      },
      ids: {
        type: 'array',
        items: { type: 'string' },
        description:
          'With rule `answerBytes`: ids of the tasks that the first request with this Idempotency-Key created.',
        example: [],
      },
    },
  },
};

const MSG: Schema = { type: 'string', description: 'The reason, for people.' };

const STATE: Schema = {
  type: 'object',
  required: ['msg'],
  properties: {
    status: { type: 'integer', description: 'Of a task: its status now.', example: 30 },
    allowed: {
      type: 'array',
      items: { type: 'integer' },
      description: 'Of a task: statuses to which it may change.',
      example: [],
    },
    taskId: { type: 'string', description: 'The task that holds the unique key.' },
    state: { type: 'string', enum: [...BATCH_STATES], description: 'Of a batch: its state now.' },
    msg: { ...MSG, example: 'the task is finished' },
  },
};

const LEASE: Schema = {
  type: 'object',
  required: ['status', 'msg', 'task'],
  properties: {
    status: { type: 'integer', description: 'Status of the task now.', example: -20 },
    msg: { ...MSG, example: 'its lease is over' },
    task: { type: 'object', additionalProperties: true, description: 'The task as it is now.' },
  },
};

const QUOTA: Schema = {
  type: 'object',
  required: ['limit', 'active', 'msg'],
  properties: {
    limit: {
      type: 'integer',
      description: 'The allowed number of tasks that have not ended, or of schedules.',
      example: 100,
    },
    active: {
      type: 'integer',
      description: 'The number of these now. One more than the limit means that or more.',
      example: 100,
    },
    msg: { ...MSG, example: 'at most 100 tasks at a time' },
    field: { type: 'string', description: '`key`: there are too many schedules.', example: 'key' },
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
  if (known.length < schemas.length) return { description: 'Details of the failure, if there are any.' };
  return known.length === 1 ? known[0]! : { anyOf: known, description: 'Details of the failure.' };
}
