import { TaskError } from '../contract/errors.js';
import { invalid } from './invalid.js';

/** Parameters by name, before any validation. */
export type Input = Record<string, unknown>;

/** The most fields of a form or of one JSON object: 1,000 times `ids[]`, and a margin. */
export const MAX_FIELDS = 1100;

/** 400: the body does not match its media type. */
export const malformed = (msg: string): TaskError =>
  invalid([{ field: 'body', rule: 'malformed', msg: `body ${msg}` }]);

/** 415. */
export const unsupported = (msg: string): TaskError =>
  new TaskError('UNSUPPORTED_MEDIA_TYPE', [{ field: 'body', rule: 'mediaType', msg }]);

/** 413. */
export const tooLarge = (field: string, rule: string, msg: string): TaskError =>
  new TaskError('TOO_LARGE', [{ field, rule, msg: `${field} ${msg}` }]);

export const tooManyFields = (field: string): TaskError =>
  tooLarge(field, 'maxFields', `must have at most ${MAX_FIELDS} fields`);

/** A key that could reach a prototype is refused at any level. */
export function forbidProto(name: string): void {
  if (name === '__proto__')
    throw invalid([{ field: '__proto__', rule: 'forbidden', msg: '__proto__ is not allowed as the name of a field' }]);
}

/** A property of an input: names of the parameters that were null, and so are absent from it. */
export const NULLS = Symbol('softdd.task.nulls');
export type NullsOf = { [NULLS]?: readonly string[] };
