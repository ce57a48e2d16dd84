import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FieldProblem } from '../../contract/errors.js';
import { invalid } from '../../validation/invalid.js';
import { priorityWithin, userPriorityOf } from '../../validation/rules.js';
import { bodyOf } from '../body/unparsed-body.js';
import type { Input } from '../../validation/body-problems.js';
import { OVERRIDE, type Override, OverriddenInput } from './method-override.js';
import { optionsOf } from '../binding/exchange.js';
import { broken, toInteger } from '../../validation/field.js';
import { ALIASES, aliasesOf, HEADERS } from './headers.js';
import { parseForm } from '../body/parse-form.js';
import { readUserId } from '../guards/user.guard.js';

/** A property of an input: names of fields that were removed because only a header may hold them. */
export const OVERWRITTEN = Symbol('softdd.task.overwritten');

/** A body that is a list. It has its own class, so that no other array in a host's handler is taken for one. */
export class InputList<T> extends Array<T> {}

/** Metadata of a handler: whether its route accepts a body that is a list. */
export const TAKES_LIST = 'softdd:task:takes-list';

interface InputRequest {
  method: string;
  url: string;
  originalUrl?: string;
  headers: Record<string, string | string[] | undefined>;
}

const NOTHING: Input = Object.freeze({});

export function readInput(verb: string, context: ExecutionContext): unknown {
  const request = context.switchToHttp().getRequest<InputRequest>();
  const url = request.originalUrl ?? request.url;
  const mark = url.indexOf('?');
  const query = mark < 0 ? NOTHING : parseForm(url.slice(mark + 1), 'query');
  const body = request.method === 'GET' ? NOTHING : bodyOf(request);
  const hasAliases = Reflect.getMetadata(ALIASES, context.getHandler()) === true;
  const said = { query, verb: verbOf(request), aliases: hasAliases ? aliasesOf(request.headers) : NOTHING };
  if (!Array.isArray(body)) {
    const override = Reflect.getMetadata(OVERRIDE, context.getHandler()) as Override | undefined;
    const { verb: asked, input } = inputOf(body, said);
    if (override && asks(asked, override.verb)) return new OverriddenInput(override, input);
    assertVerb(asked, verb);
    checkPriorities(context, verb, [['', input]]);
    return input;
  }
  if (Reflect.getMetadata(TAKES_LIST, context.getHandler()) !== true)
    throw invalid([{ field: 'body', rule: 'isObject', msg: 'body must be a JSON object; this route accepts no list' }]);
  const inputs = body.map((item) => {
    const { verb: asked, input } = inputOf(item, said);
    assertVerb(asked, verb);
    return input;
  });
  const placed = inputs.map((input, index): [string, Input] => [`[${index}].`, input]);
  checkPriorities(context, verb, placed);
  return InputList.from(inputs);
}

/**
 * Checks the priorities of new tasks against the option `userPriority`. It applies to the request of a user, not to the
 * values that pipes and handlers of a host set. The rules of the DTO refuse values that are no integers.
 */
export function checkPriorities(
  context: ExecutionContext,
  verb: string,
  inputs: [place: string, input: Input][],
): void {
  if (verb !== 'POST' || readUserId(undefined, context) === undefined) return;
  const rule = priorityWithin(userPriorityOf(optionsOf(context.switchToHttp().getRequest())!.userPriority));
  const problems = inputs.flatMap(([place, { priority }]): FieldProblem[] => {
    const value = toInteger(priority);
    const problem = Number.isInteger(value) ? rule(value) : undefined;
    return problem ? [broken('priority', problem, place)] : [];
  });
  if (problems.length > 0) throw invalid(problems.slice(0, MAX_PROBLEMS));
}

/** The answer to a list names at most this number of problems. */
export const MAX_PROBLEMS = 20;

/**
 * The parameters of a request, from its query and its body. If both have a parameter, the body's counts; the body of
 * a GET is ignored. `verb` is the method of the route: legacy clients send a multipart PUT as a POST with
 * `_method=PUT`. On routes that accept a list, a body that is a list becomes an `InputList`.
 */
export const TaskInput = createParamDecorator(readInput);

/** The parts of a request beside its body. */
interface Beside {
  query: Input;
  /** The verb that a POST asks for in a header. As in Laravel, it counts before `_method`. */
  verb: unknown;
  /** Headers for a handler of the host, by the names of their aliases. */
  aliases: Record<string, unknown>;
}

/** The parameters, and the verb that the request asks for, in a header or as Laravel's `_method`. */
function inputOf(item: Input, { query, verb, aliases }: Beside): { verb: unknown; input: Input } {
  const input = joined(query, item);
  const { _method } = input;
  // Mostly it is not there, and a second copy would take as long as the first.
  if (_method !== undefined) delete input._method;
  // Only a header may hold these. Removed fields are remembered, so that the client learns of them.
  const overwritten = HEADERS_ONLY.filter((name) => name in input);
  for (const name of overwritten) delete input[name];
  if (overwritten.length > 0) Object.defineProperty(input, OVERWRITTEN, { value: overwritten });
  // The lease token may be in the header or in the body. The body's counts.
  for (const [name, value] of Object.entries(aliases)) if (input[name] === undefined) input[name] = value;
  return { verb: verb ?? _method, input };
}

/** A copy. Where one of them is empty, it is made by V8's fast way. */
function joined(query: Input, item: Input): Input {
  if (query === NOTHING) return { ...item };
  return item === NOTHING ? { ...query } : { ...query, ...item };
}

const HEADERS_ONLY = [HEADERS['Idempotency-Key'].alias, HEADERS.Authorization.alias, HEADERS.traceparent.alias];

const asks = (asked: unknown, verb: string): boolean => typeof asked === 'string' && asked.toUpperCase() === verb;

function assertVerb(asked: unknown, verb: string): void {
  if (asked !== undefined && !asks(asked, verb))
    throw invalid([{ field: '_method', rule: 'method', msg: `_method must be ${verb} on this route, or absent` }]);
}

const verbOf = ({ method, headers }: InputRequest): unknown =>
  method === 'POST' ? headers['x-http-method-override'] : undefined;
