import type { Type } from '@nestjs/common';
import { type ApiPropertyOptions, ApiQuery } from '@nestjs/swagger';
import { SWAGGER } from '../binding/nest-internals.js';

// What has an example is what a first request sends: a page such as Swagger UI's fills in every example that it finds.

/** A DTO's properties as query parameters; beside a body that says the same, none is required or has an example. */
export function queryOf(dto: Type, { besideBody = false } = {}): MethodDecorator[] {
  return propertiesOf(dto).map(([name, { description, required = false, example, type, ...limits }]) => {
    const { minimum, maximum, minLength, maxLength, default: preset } = limits;
    const schema = {
      type: type === 'integer' ? 'integer' : 'string',
      minimum,
      maximum,
      minLength,
      maxLength,
      default: preset as unknown,
      // In a query a list is the JSON text of one.
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

/** A whole body: those of its properties that have an example. */
export function exampleOf(dto: Type): Record<string, unknown> {
  const examples = propertiesOf(dto).filter(([, { example }]) => example !== undefined);
  return Object.fromEntries(examples.map(([name, { example }]) => [name, example as unknown]));
}

/** What the decorators say of a DTO's properties. */
function propertiesOf(dto: Type): [string, Record<string, any>][] {
  const proto = dto.prototype as object;
  const names = Reflect.getMetadata(SWAGGER.properties, proto) as string[];
  return names
    .map((name) => name.slice(1))
    .map((name) => [name, Reflect.getMetadata(SWAGGER.property, proto, name) as ApiPropertyOptions]);
}
