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

/** On an input: fields of the body that headers have replaced. */
export const OVERWRITTEN = Symbol('softdd.task.overwritten');

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

export function readInput(verb: string, context: ExecutionContext): unknown {
  const request = context.switchToHttp().getRequest<InputRequest>();
  const url = request.originalUrl ?? request.url;
  const mark = url.indexOf('?');
  const query = mark < 0 ? {} : parseForm(url.slice(mark + 1), 'query');
  const body = request.method === 'GET' ? {} : bodyOf(request);
  const hasAliases = Reflect.getMetadata(ALIASES, context.getHandler()) === true;
  const said = { query, verb: verbOf(request), aliases: hasAliases ? aliasesOf(request.headers) : {} };
  if (!Array.isArray(body)) {
    const override = Reflect.getMetadata(OVERRIDE, context.getHandler()) as Override | undefined;
    const { verb: asked, input } = inputOf(body, said);
    if (override && asks(asked, override.verb)) return new OverriddenInput(override, input);
    assertVerb(asked, verb);
    checkPriorities(context, verb, [['', input]]);
    return input;
  }
  if (Reflect.getMetadata(TAKES_LIST, context.getHandler()) !== true)
    throw invalid([{ field: 'body', rule: 'isObject', msg: 'body must be a JSON object: one at a time here' }]);
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
 * Holds what users say at creation to option `userPriority`: what they say, and not what a host's own pipes and handlers
 * make of it. What is no integer at all is left to the rules of the DTO.
 */
function checkPriorities(context: ExecutionContext, verb: string, inputs: [place: string, input: Input][]): void {
  if (verb !== 'POST' || readUserId(undefined, context) === undefined) return;
  const rule = priorityWithin(userPriorityOf(optionsOf(context.switchToHttp().getRequest())!.userPriority));
  const problems = inputs.flatMap(([place, { priority }]): FieldProblem[] => {
    const value = toInteger(priority);
    const problem = Number.isInteger(value) ? rule(value) : undefined;
    return problem ? [broken('priority', problem, place)] : [];
  });
  if (problems.length > 0) throw invalid(problems.slice(0, MAX_PROBLEMS));
}
/** Offences in a list that are told at once: enough to mend it by. */
export const MAX_PROBLEMS = 20;

/**
 * What a request says in its query and its body, of which the body wins (a GET has none). `verb` is the route's own method: the original's clients send a multipart PUT as POST with
 * `_method=PUT`. A body that is a list gives a list, for the routes that take one.
 */
export const TaskInput = createParamDecorator(readInput);

/** What a request says beside its body. */
interface Beside {
  query: Input;
  /** The verb that a POST asks for by header; Laravel looks there first. */
  verb: unknown;
  /** Headers, for a handler of the host's. */
  aliases: Record<string, unknown>;
}

/** The parameters, and the verb that the request asks for by Laravel's `_method`. */
function inputOf(item: Input, { query, verb, aliases }: Beside): { verb: unknown; input: Input } {
  const { _method, ...input } = { ...query, ...item };
  // What only a header says is not read from the body: who sent it there should hear of it.
  const overwritten = HEADERS_ONLY.filter((name) => name in input);
  for (const name of overwritten) delete input[name];
  if (overwritten.length > 0) Object.defineProperty(input, OVERWRITTEN, { value: overwritten });
  // A token may be said in either, and the body wins.
  for (const [name, value] of Object.entries(aliases)) if (input[name] === undefined) input[name] = value;
  return { verb: verb ?? _method, input };
}

const HEADERS_ONLY = [HEADERS['Idempotency-Key'].alias, HEADERS.Authorization.alias];

const asks = (asked: unknown, verb: string): boolean => typeof asked === 'string' && asked.toUpperCase() === verb;

function assertVerb(asked: unknown, verb: string): void {
  if (asked !== undefined && !asks(asked, verb))
    throw invalid([{ field: '_method', rule: 'method', msg: `must be ${verb} here, or absent` }]);
}

const verbOf = ({ method, headers }: InputRequest): unknown =>
  method === 'POST' ? headers['x-http-method-override'] : undefined;
