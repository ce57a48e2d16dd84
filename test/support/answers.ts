import { expect } from '@jest/globals';
import type { Answer, CallOptions } from './http.js';

/** The contract's failures, by name: HTTP status, code, text. Written out here, so that the catalogue is tested too. */
const FAILURES = {
  INVALID_ACCESS: [430, 14002, 'invalid access'],
  INVALID_TOKEN: [430, 10001, 'invalid token'],
  NOT_FOUND: [404, 14001, 'not found'],
  INVALID_PARAM: [400, 14004, 'invalid parameter'],
  TOO_MANY_TASK: [403, 14003, 'too many tasks'],
  LEASE_LOST: [409, 14005, 'the lease is lost'],
  INVALID_STATE: [409, 14006, 'the state of the task does not allow this'],
  IDEMPOTENCY_CONFLICT: [422, 14007, 'the idempotency key was used with other content'],
  TOO_LARGE: [413, 14008, 'too large'],
  UNSUPPORTED_MEDIA_TYPE: [415, 14010, 'unsupported media type'],
} as const;

export type FailureName = keyof typeof FAILURES;

/** Name of a parameter and the rule that it breaks. */
export type Problem = [field: string, rule: string];

/** The answer is this failure, to the letter: status, header, envelope, and a detail that names these problems. */
export function expectFailure(answer: Answer, name: FailureName, ...problems: Problem[]): void {
  const [status, code, msg] = FAILURES[name];
  const detail = problems.map(([field, rule]) => ({ field, rule, msg: expect.stringMatching(/\S/) }));
  expect(answer.body).toEqual({ status: 0, data: { code, msg, ...(detail.length > 0 ? { detail } : {}) } });
  expect(answer.status).toBe(status);
  expect(answer.headers.get('cache-control')).toBe('no-cache');
}

/** The task is in no state for this: the answer says which it is in, and where it may go. */
export function expectWrongState(answer: Answer, status: number, allowed: number[]): void {
  const detail = { status, allowed: expect.arrayContaining(allowed), msg: expect.stringMatching(/\S/) };
  expect(answer.body).toEqual({ status: 0, data: { code: 14006, msg: FAILURES.INVALID_STATE[2], detail } });
  expect(answer.body.data.detail.allowed).toHaveLength(allowed.length);
  expect(answer.status).toBe(409);
  expect(answer.headers.get('cache-control')).toBe('no-cache');
}

/** The `data` of an answer that worked. */
export function dataOf(answer: Answer): any {
  expect(answer.body).toEqual({ status: 1, data: expect.anything() });
  expect(answer.status).toBe(200);
  expect(answer.headers.get('cache-control')).toMatch(/^no-cache(, no-store)?$/);
  return answer.body.data;
}

/** The ways in which a request can say its parameters. */
export const BODY_KINDS = ['json', 'form', 'multipart'] as const;
export const INPUT_KINDS = [...BODY_KINDS, 'query'] as const;

/** These parameters, said in one of the ways. */
export const said = (kind: (typeof INPUT_KINDS)[number], fields: Record<string, string>): CallOptions => ({
  [kind]: fields,
});
