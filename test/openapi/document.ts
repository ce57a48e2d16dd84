import { expect } from '@jest/globals';
import type { OpenAPIObject } from '@nestjs/swagger';
import { Ajv, type ValidateFunction } from 'ajv';
import formats from 'ajv-formats';
import type { Answer } from '../support/http.js';

/** A schema of OpenAPI 3.0, as far as these tests look into it. */
export interface Schema {
  $ref?: string;
  type?: string;
  properties?: Record<string, Schema>;
  items?: Schema;
  description?: string;
  example?: unknown;
  nullable?: boolean;
  [keyword: string]: unknown;
}

export interface Operation {
  id: string;
  method: string;
  path: string;
  summary?: string;
  tags: string[];
  security: Record<string, unknown>[];
  parameters: { name: string; in: string; description?: string; schema: Schema }[];
  requestBody?: { required?: boolean; content: Record<string, { schema: Schema }> };
  responses: Record<string, { description: string; content?: Record<string, { schema: Schema }> }>;
}

export const operationsOf = (document: OpenAPIObject): Operation[] =>
  Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item as Record<string, any>).map(([method, operation]) => ({
      ...operation,
      id: operation.operationId,
      method: method.toUpperCase(),
      path,
    })),
  );

export const schemasOf = (document: OpenAPIObject): Record<string, Schema> =>
  (document.components?.schemas ?? {}) as Record<string, Schema>;

export function resolve(document: OpenAPIObject, schema: Schema): Schema {
  return schema.$ref ? schemasOf(document)[schema.$ref.split('/').pop()!]! : schema;
}

/** The examples of a schema's properties, put together. */
export function exampleOf(document: OpenAPIObject, schema: Schema): Record<string, unknown> {
  const alternatives = schema.oneOf as Schema[] | undefined;
  const { properties = {} } = resolve(document, alternatives?.[0] ?? schema);
  return Object.fromEntries(Object.entries(properties).map(([name, property]) => [name, property.example]));
}

/** Holds answers to a document: their status must be documented and their body fit its schema. */
export class DocumentCheck {
  private readonly ajv = new Ajv({ strict: false, allErrors: true });
  private readonly seen = new Set<string>();

  constructor(
    readonly document: OpenAPIObject,
    { closed }: { closed: boolean },
  ) {
    formats.default(this.ajv);
    this.ajv.addSchema(toJsonSchema(document, closed) as object, 'document');
  }

  fits(operation: Operation, status: number, answer: Answer): void {
    const where = `${operation.id} ${answer.status}: ${answer.text.slice(0, 300)}`;
    expect([where, answer.status]).toEqual([where, status]);
    expect(Object.keys(operation.responses)).toContain(String(status));
    const validate = this.validator(operation, status);
    expect([where, validate(answer.body) ? [] : validate.errors]).toEqual([where, []]);
    this.seen.add(`${operation.id} ${status}`);
  }

  /** Whether a request body fits the schema that is documented for it. */
  takes(operation: Operation, body: unknown): boolean {
    const pointer = [
      'paths',
      operation.path,
      operation.method.toLowerCase(),
      'requestBody',
      'content',
      'application/json',
    ];
    return this.compile([...pointer, 'schema'])(body);
  }

  /** What is documented and was not answered yet, failures of the server's apart. */
  get unseen(): string[] {
    return operationsOf(this.document)
      .flatMap(({ id, responses }) => Object.keys(responses).map((status) => `${id} ${status}`))
      .filter((answer) => !/ 5\d\d$/.test(answer) && !this.seen.has(answer));
  }

  private validator({ path, method }: Operation, status: number): ValidateFunction {
    return this.compile([
      'paths',
      path,
      method.toLowerCase(),
      'responses',
      String(status),
      'content',
      'application/json',
      'schema',
    ]);
  }

  private compile(pointer: string[]): ValidateFunction {
    const steps = pointer.map((step) => encodeURIComponent(step.replaceAll('~', '~0').replaceAll('/', '~1')));
    return this.ajv.getSchema(`document#/${steps.join('/')}`)!;
  }
}

/** OpenAPI 3.0 as JSON Schema; `closed` refuses properties that are not documented. */
function toJsonSchema(node: unknown, closed: boolean): unknown {
  if (Array.isArray(node)) return node.map((item) => toJsonSchema(item, closed));
  if (typeof node !== 'object' || node === null) return node;
  const { nullable, ...rest } = Object.fromEntries(
    Object.entries(node).map(([name, value]) => [name, name === 'example' ? value : toJsonSchema(value, closed)]),
  ) as Schema;
  const schema: Record<string, unknown> = rest;
  if (nullable) schema.type = [rest.type, 'null'];
  if (closed && rest.type === 'object' && rest.properties) schema.additionalProperties ??= false;
  return schema;
}
