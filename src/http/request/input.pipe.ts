import { type ArgumentMetadata, type PipeTransform, type Type, ValidationPipe } from '@nestjs/common';
import { getMetadataStorage, type ValidationError } from 'class-validator';
import { type FieldProblem, TaskError } from '../../contract/errors.js';
import { invalid, within } from '../../validation/invalid.js';
import type { Rule } from '../../validation/rule.js';
import type { Input } from '../../validation/body-problems.js';
import { broken, missing, nameOf, type Parsed, type Parser, parserOf } from '../../validation/field.js';
import { InputList, MAX_PROBLEMS } from './input.js';
import { OverriddenInput } from './method-override.js';

const problemsOf = (errors: ValidationError[], path = ''): FieldProblem[] =>
  errors.flatMap((error) => {
    const { property, value, children = [] } = error;
    const own = Object.entries(error.constraints ?? {}).map(([name, msg]): FieldProblem => {
      if (value === undefined) return missing(property, path);
      const followed = (error.contexts?.[name] as { rule?: Rule } | undefined)?.rule?.(value);
      return followed ? broken(property, followed, path) : { field: path + nameOf(property), rule: name, msg };
    });
    return [...own, ...problemsOf(children, `${path}${nameOf(property)}.`)];
  });

/** Validates an input by the DTO in the handler's signature. Fields that the DTO does not have are ignored. */
class InputPipe implements PipeTransform {
  private readonly parsers = new Map<unknown, Parser | undefined>();
  /** For classes of the host. */
  private readonly classValidator = new ClassPipe();

  transform(value: unknown, metadata: ArgumentMetadata): unknown {
    // The signal of the client is no input.
    if (value instanceof AbortSignal) return value;
    if (value instanceof OverriddenInput) return this.transformOverridden(value, metadata);
    const parser = this.parserOf(metadata.metatype);
    if (value instanceof InputList) return this.transformList(value, metadata, parser);
    if (!parser || typeof value !== 'object' || value === null) return this.classValidator.transform(value, metadata);
    return parsed(parser(value as Input));
  }

  /** Validates it by the DTO of the method that serves it. */
  private async transformOverridden(
    { override, input }: OverriddenInput,
    metadata: ArgumentMetadata,
  ): Promise<OverriddenInput> {
    const metatype = override.metatype as ArgumentMetadata['metatype'];
    return new OverriddenInput(override, await this.transform(input, { ...metadata, metatype }));
  }

  private async transformList(
    list: InputList<unknown>,
    metadata: ArgumentMetadata,
    parser: Parser | undefined,
  ): Promise<unknown> {
    const items: unknown[] = [];
    const problems: FieldProblem[] = [];
    for (const [index, item] of list.entries()) {
      try {
        const one = async (): Promise<unknown> =>
          parser ? parsed(parser(item as Input)) : this.classValidator.transform(item, metadata);
        items.push(await within(`[${index}].`, one));
      } catch (error) {
        if (!(error instanceof TaskError)) throw error;
        problems.push(...(error.detail as FieldProblem[]));
        if (problems.length >= MAX_PROBLEMS) break;
      }
    }
    if (problems.length > 0) throw invalid(problems);
    return InputList.from(items);
  }

  private parserOf(metatype: ArgumentMetadata['metatype']): Parser | undefined {
    if (!this.parsers.has(metatype)) this.parsers.set(metatype, parserOf(metatype));
    return this.parsers.get(metatype);
  }
}

function parsed(result: Parsed): object {
  if ('dto' in result) return result.dto;
  throw invalid(result.problems);
}

/** Drops unknown fields before class-validator looks into them. */
class ClassPipe extends ValidationPipe {
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

  override async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    const fields = this.fieldsOf(metadata.metatype);
    if (fields.length === 0 || value === undefined) return super.transform(value, metadata);
    const named = Object.entries(value as Input).filter(([name]) => fields.includes(name));
    return super.transform(Object.fromEntries(named), metadata);
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

/** Properties that a DTO class accepts: those with a decorator of class-validator. */
export const dtoFields = (dto: Type<unknown>): string[] => [
  ...new Set(
    getMetadataStorage()
      .getTargetValidationMetadatas(dto, '', false, false)
      .map((metadata) => metadata.propertyName),
  ),
];
