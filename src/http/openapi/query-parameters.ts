import type { Type } from '@nestjs/common';
import { type ApiPropertyOptions, ApiQuery } from '@nestjs/swagger';
import { SWAGGER } from '../binding/nest-internals.js';

// Only parameters of a first request have an example, because Swagger UI fills in every example that it finds.

/**
 * The properties of a DTO as query parameters. Beside a body that takes the same, none is required or has an example.
 */
export function queryOf(dto: Type, { besideBody = false } = {}): MethodDecorator[] {
  return propertiesOf(dto).map(([name, { description, required = false, example, type, ...limits }]) => {
    const { minimum, maximum, minLength, maxLength, enum: values, default: preset } = limits;
    const schema = {
      type: type === 'integer' ? 'integer' : 'string',
      minimum,
      maximum,
      minLength,
      maxLength,
      enum: values as string[] | undefined,
      default: preset as unknown,
      // In a query, a list is its JSON text.
      example: besideBody ? undefined : Array.isArray(example) ? JSON.stringify(example) : (example as unknown),
    };
    return ApiQuery({
      name,
      description,
      required: required && !besideBody,
      schema: Object.fromEntries(Object.entries(schema).filter(([, value]) => value !== undefined)),
    });
  });
}

/** An example of a body: the properties that have an example. */
export function exampleOf(dto: Type): Record<string, unknown> {
  const examples = propertiesOf(dto).filter(([, { example }]) => example !== undefined);
  return Object.fromEntries(examples.map(([name, { example }]) => [name, example as unknown]));
}

/** The decorated properties of a DTO, with the options of their decorators. */
function propertiesOf(dto: Type): [string, Record<string, any>][] {
  const proto = dto.prototype as object;
  const names = Reflect.getMetadata(SWAGGER.properties, proto) as string[];
  return names
    .map((name) => name.slice(1))
    .map((name) => [name, Reflect.getMetadata(SWAGGER.property, proto, name) as ApiPropertyOptions]);
}
