import { describe, expect, it } from '@jest/globals';
import { Ajv } from 'ajv';
import { TASK_ERRORS, type TaskErrorBody, type TaskErrorCatalogue, TaskResponse } from '../../../../src/index.js';
import { describeFailure, describeSuccess } from '../../../../src/http/openapi/envelope.js';

class Wrapped extends TaskResponse {
  override success(data: unknown): unknown {
    return { ok: true, error: null, result: { items: [data] }, took: 0.5 };
  }
  override failure({ code, msg, detail }: TaskErrorBody): unknown {
    return { ok: false, error: { number: code, text: msg, more: detail }, result: null };
  }
}

class Spread extends TaskResponse {
  override success(data: unknown): unknown {
    return { ...(data as object), ok: true };
  }
  override failure(error: TaskErrorBody): unknown {
    return { ...error, ok: false };
  }
}

class Bare extends TaskResponse {
  override success(data: unknown): unknown {
    return data;
  }
}

const TASK = {
  type: 'object',
  required: ['taskId'],
  properties: { taskId: { type: 'string' } },
};
const ERRORS = TASK_ERRORS as unknown as TaskErrorCatalogue;

const fits = (schema: object, value: unknown): boolean => new Ajv({ strict: false }).validate(schema, asJson(value));
const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value)) as unknown;

describe.each([TaskResponse, Wrapped, Spread, Bare])('the documented envelope of response class %p', (Response) => {
  const envelope = new Response();

  it('fits an answer that worked, and not one whose data is something else', () => {
    const schema = describeSuccess(envelope, TASK);
    expect(fits(schema, envelope.success({ taskId: 'a' }))).toBe(true);
    expect(fits(schema, envelope.success({ taskId: 1 }))).toBe(false);
    expect(fits(schema, envelope.success({}))).toBe(false);
  });

  it('fits each failure that it is documented for, with and without a detail, and no other', () => {
    const { NOT_FOUND, INVALID_PARAM, TOO_LARGE } = TASK_ERRORS;
    const schema = describeFailure(envelope, ['INVALID_PARAM', 'TOO_LARGE'], ERRORS);
    const detail = [{ field: 'input', rule: 'isDefined', msg: 'input is required' }];
    expect(fits(schema, envelope.failure({ ...INVALID_PARAM, detail }))).toBe(true);
    expect(fits(schema, envelope.failure(TOO_LARGE))).toBe(true);
    expect(fits(schema, envelope.failure({ ...INVALID_PARAM, detail: 'wrong' }))).toBe(false);
    expect(fits(schema, envelope.failure(NOT_FOUND))).toBe(false);
  });
});
