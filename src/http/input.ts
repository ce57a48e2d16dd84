import { createHash } from 'node:crypto';
import {
  type ArgumentMetadata,
  createParamDecorator,
  type ExecutionContext,
  type PipeTransform,
  type Type,
  ValidationPipe,
} from '@nestjs/common';
import { getMetadataStorage, ValidateBy, type ValidationError, type ValidationOptions } from 'class-validator';
import { Transform } from 'class-transformer';
import { type FieldProblem, TaskError } from '../contract/errors.js';
import { invalid, within } from '../core/invalid.js';
import type { Rule } from '../core/rules.js';
import { bodyOf, type Input, parseForm } from './body.js';

/** What a body that is a list becomes: no other array of a host's handlers is mistaken for it. */
export class InputList<T> extends Array<T> {}

/** On a handler: whether a body that is a list comes to it, or to the method for many beside it. */
export const TAKES_LIST = 'softdd:task:takes-list';

interface InputRequest {
  method: string;
  url: string;
  originalUrl?: string;
  headers: Record<string, string | string[] | undefined>;
}

/**
 * What a request says, wherever it says it: query and body, of which the body wins (a GET has none), and the headers
 * that are parameters. `verb` is the route's own method: the original's clients send a multipart PUT as POST with
 * `_method=PUT`. A body that is a list gives a list, for the routes that take one.
 */
export const TaskInput = createParamDecorator((verb: string, context: ExecutionContext): Input | Input[] => {
  const request = context.switchToHttp().getRequest<InputRequest>();
  const url = request.originalUrl ?? request.url;
  const mark = url.indexOf('?');
  const query = mark < 0 ? {} : parseForm(url.slice(mark + 1), 'query');
  const body = request.method === 'GET' ? {} : bodyOf(request);
  const key = keyOf(request.headers);
  const inputOf = (item: Input): Input => {
    const { _method: override, ...input } = { ...query, ...item };
    if (override !== undefined && (typeof override !== 'string' || override.toUpperCase() !== verb))
      throw invalid([{ field: '_method', rule: 'method', msg: `must be ${verb} here, or absent` }]);
    // A token may be said in either, and the body wins.
    return { leaseToken: request.headers['lease-token'], ...input, ...key };
  };
  if (Array.isArray(body) && Reflect.getMetadata(TAKES_LIST, context.getHandler()) !== true)
    throw invalid([{ field: 'body', rule: 'isObject', msg: 'body must be a JSON object: one at a time here' }]);
  return Array.isArray(body) ? InputList.from(body.map(inputOf)) : inputOf(body);
});

/** A key is a matter of the request, not of its content, and of who sent it. */
function keyOf({ 'idempotency-key': idempotencyKey, authorization = '' }: InputRequest['headers']): Input {
  if (idempotencyKey === undefined) return { idempotencyKey, credential: undefined };
  return { idempotencyKey, credential: createHash('sha256').update(String(authorization)).digest('hex') };
}

const problemsOf = (errors: ValidationError[], path = ''): FieldProblem[] =>
  errors.flatMap((error) => {
    const field = path + (error.property === 'idempotencyKey' ? 'Idempotency-Key' : error.property);
    const own = Object.entries(error.constraints ?? {}).map(([name, msg]): FieldProblem => {
      if (error.value === undefined) return { field, rule: 'isDefined', msg: `${field} is required` };
      const followed = (error.contexts?.[name] as { rule?: Rule } | undefined)?.rule?.(error.value);
      return followed ? { field, rule: followed.rule, msg: `${field} ${followed.msg}` } : { field, rule: name, msg };
    });
    return [...own, ...problemsOf(error.children ?? [], `${field}.`)];
  });

/** Validates by the DTO in the handler's signature. Fields that it doesn't name are ignored, as ever. */
class InputPipe extends ValidationPipe {
  private readonly fields = new Map<unknown, string[]>();

  constructor() {
    super({
      transform: true,
      whitelist: true,
      validateCustomDecorators: true,
      stopAtFirstError: true,
      exceptionFactory: (errors) => invalid(problemsOf(errors)),
    });
  }

  /** What nobody reads is dropped before anything looks into it. */
  override async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    const fields = this.fieldsOf(metadata.metatype);
    // The client's signal is no input.
    if (value instanceof AbortSignal) return value;
    if (fields.length === 0 || value === undefined) return super.transform(value, metadata);
    const transformOne = (item: Input): Promise<unknown> =>
      super.transform(Object.fromEntries(Object.entries(item).filter(([name]) => fields.includes(name))), metadata);
    if (!(value instanceof InputList)) return transformOne(value as Input);
    const items: unknown[] = [];
    const problems: FieldProblem[] = [];
    for (const [index, item] of (value as InputList<Input>).entries()) {
      try {
        items.push(await within(`[${index}].`, () => transformOne(item)));
      } catch (error) {
        if (!(error instanceof TaskError)) throw error;
        problems.push(...(error.detail as FieldProblem[]));
        if (problems.length >= MAX_PROBLEMS) break;
      }
    }
    if (problems.length > 0) throw invalid(problems);
    return InputList.from(items);
  }

  private fieldsOf(metatype: ArgumentMetadata['metatype']): string[] {
    const known = this.fields.get(metatype);
    if (known) return known;
    const fields = metatype ? dtoFields(metatype) : [];
    this.fields.set(metatype, fields);
    return fields;
  }
}
export const inputPipe = (): PipeTransform => new InputPipe();

/** Offences in a list that are told at once: enough to mend it by. */
const MAX_PROBLEMS = 20;

/** Properties that a DTO class accepts: those with a class-validator decorator. */
export const dtoFields = (dto: Type<unknown>): string[] => [
  ...new Set(
    getMetadataStorage()
      .getTargetValidationMetadatas(dto, '', false, false)
      .map((metadata) => metadata.propertyName),
  ),
];

/** Holds a DTO's property to a rule of the queue's. */
export const Follows = (rule: Rule, options?: ValidationOptions): PropertyDecorator =>
  ValidateBy(
    {
      name: 'follows',
      validator: {
        validate: (value) => rule(value) === undefined,
        defaultMessage: (args) => `${args!.property} ${rule(args!.value)?.msg ?? ''}`,
      },
    },
    // One rule may break in several ways: the pipe asks it again for the name of this one.
    { ...options, context: { rule } },
  );

/** Forms send everything as text: decimal digits become a number, anything else is left to the validators. */
export const ToInteger = (): PropertyDecorator =>
  Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' && /^[+-]?\d{1,15}$/.test(value) ? Number(value) : value,
  );

/** Forms send everything as text. */
export const ToBoolean = (): PropertyDecorator =>
  Transform(({ value }: { value: unknown }) => (BOOLEANS.has(value) ? BOOLEANS.get(value) : value));
const BOOLEANS = new Map<unknown, boolean>([
  ['true', true],
  ['1', true],
  [1, true],
  ['false', false],
  ['0', false],
  [0, false],
]);

/** The original took a JSON number where it stores text. */
export const ToText = (): PropertyDecorator =>
  Transform(({ value }: { value: unknown }) =>
    typeof value === 'number' && Number.isFinite(value) ? String(value) : value,
  );
