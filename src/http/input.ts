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
import type { FieldProblem } from '../contract/errors.js';
import { invalid } from '../core/invalid.js';
import type { Rule } from '../core/rules.js';
import { bodyOf, type Input, parseForm } from './body.js';

/**
 * What a request says, wherever it says it: query and body, of which the body wins (a GET has none). `verb` is the
 * route's own method: the original's clients send a multipart PUT as POST with `_method=PUT`.
 */
export const TaskInput = createParamDecorator((verb: string, context: ExecutionContext): Input => {
  const request = context.switchToHttp().getRequest<{ method: string; url: string; originalUrl?: string }>();
  const url = request.originalUrl ?? request.url;
  const mark = url.indexOf('?');
  const query = mark < 0 ? {} : parseForm(url.slice(mark + 1), 'query');
  const { _method: override, ...input } = verb === 'GET' ? query : { ...query, ...bodyOf(request) };
  if (override !== undefined && (typeof override !== 'string' || override.toUpperCase() !== verb))
    throw invalid([{ field: '_method', rule: 'method', msg: `must be ${verb} here, or absent` }]);
  return input;
});

const problemsOf = (errors: ValidationError[], path = ''): FieldProblem[] =>
  errors.flatMap((error) => {
    const field = path + error.property;
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
  override transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    const fields = this.fieldsOf(metadata.metatype);
    if (fields.length === 0) return super.transform(value, metadata);
    const given = Object.entries(value as Input).filter(([name]) => fields.includes(name));
    return super.transform(Object.fromEntries(given), metadata);
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

/** The original took a JSON number where it stores text. */
export const ToText = (): PropertyDecorator =>
  Transform(({ value }: { value: unknown }) =>
    typeof value === 'number' && Number.isFinite(value) ? String(value) : value,
  );
