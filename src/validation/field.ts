import 'reflect-metadata';
import { applyDecorators } from '@nestjs/common';
import { Transform } from 'class-transformer';
import { IsDefined, IsOptional, ValidateBy } from 'class-validator';
import type { FieldProblem } from '../contract/errors.js';
import type { Rule, RuleProblem } from './rules.js';
import { readJson } from './parse-json.js';

/** A parameter that one of our DTOs accepts. */
interface FieldDefinition {
  name: string;
  rule: Rule;
  /** Forms send everything as text: this converts the value before the rule checks it. */
  to: ((value: unknown) => unknown) | undefined;
  required: boolean;
}

const FIELDS = Symbol('softdd.task.fields');

/**
 * Declares a parameter for both ways of validating: class-validator, which handles a host's class that extends or joins
 * ours, and the compiled check below for our own classes.
 */
export function Field(
  rule: Rule,
  { to, required = false }: Partial<Pick<FieldDefinition, 'to' | 'required'>> = {},
): PropertyDecorator {
  const record: PropertyDecorator = (target, name) => {
    const known = (Reflect.getOwnMetadata(FIELDS, target) as FieldDefinition[] | undefined) ?? [];
    Reflect.defineMetadata(FIELDS, [...known, { name: String(name), rule, to, required }], target);
  };
  return applyDecorators(
    record,
    Follows(rule),
    required ? IsDefined() : IsOptional(),
    ...(to ? [Transform(({ value }: { value: unknown }) => (value === undefined ? value : to(value)))] : []),
  );
}

/** Checks a property by a rule of the queue, within class-validator. */
export const Follows = (rule: Rule): PropertyDecorator =>
  ValidateBy(
    {
      name: 'follows',
      validator: {
        validate: (value) => rule(value) === undefined,
        defaultMessage: (args) => `${args!.property} ${rule(args!.value)?.msg ?? ''}`,
      },
    },
    // One rule may fail in several ways: the code that reports a failure asks the rule again for its name.
    { context: { rule } },
  );

/** The problems of an input, or the DTO that it makes. */
export type Parsed = { problems: FieldProblem[] } | { dto: object };
export type Parser = (input: Record<string, unknown>) => Parsed;

/**
 * The compiled check of a class whose fields are all declared by `@Field()`. undefined for any other class. It finds
 * what class-validator finds, in a fifteenth of the time, and drops fields that the class does not name.
 */
export function parserOf(Dto: unknown): Parser | undefined {
  if (typeof Dto !== 'function') return undefined;
  // Only the class's own fields: it does not know what a subclass adds or changes with class-validator.
  const fields = Reflect.getOwnMetadata(FIELDS, Dto.prototype as object) as FieldDefinition[] | undefined;
  return fields && ((input) => parse(new (Dto as new () => Record<string, unknown>)(), fields, input));
}

function parse(dto: Record<string, unknown>, fields: FieldDefinition[], input: Record<string, unknown>): Parsed {
  let problems: FieldProblem[] | undefined;
  for (const { name, rule, to, required } of fields) {
    const given = input[name];
    if (given === undefined || given === null) {
      if (required) (problems ??= []).push(missing(name));
      continue;
    }
    const value = to ? to(given) : given;
    const problem = rule(value);
    if (problem) (problems ??= []).push(broken(name, problem));
    else dto[name] = value;
  }
  return problems ? { problems } : { dto };
}

/** A parameter's name as clients know it. */
export const nameOf = (property: string): string => (property === 'idempotencyKey' ? 'Idempotency-Key' : property);

export const missing = (name: string, path = ''): FieldProblem => {
  const field = path + nameOf(name);
  return { field, rule: 'isDefined', msg: `${field} is required` };
};

export const broken = (name: string, { rule, msg }: RuleProblem, path = ''): FieldProblem => {
  const field = path + nameOf(name);
  return { field, rule, msg: `${field} ${msg}` };
};

/** Decimal digits become a number. The rule judges anything else. */
export const toInteger = (value: unknown): unknown =>
  typeof value === 'string' && /^[+-]?\d{1,15}$/.test(value) ? Number(value) : value;

/**
 * Legacy clients may send a JSON number as text. Beyond 2^53 digits are lost already, so such a number is not
 * converted.
 */
export const toText = (value: unknown): unknown =>
  typeof value === 'number' && Number.isFinite(value) && Math.abs(value) <= Number.MAX_SAFE_INTEGER
    ? String(value)
    : value;

export const toBoolean = (value: unknown): unknown => (BOOLEANS.has(value) ? BOOLEANS.get(value) : value);
const BOOLEANS = new Map<unknown, boolean>([
  ['true', true],
  ['1', true],
  [1, true],
  ['false', false],
  ['0', false],
  [0, false],
]);

/** A list, or the JSON text of one. */
export function toList(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    const parsed = readJson(Buffer.from(value));
    // The text "null" is a mistake, not an absent list.
    return parsed ?? value;
  } catch {
    return value;
  }
}
