import type { PipeTransform, Type } from '@nestjs/common';
import {
  ExecutionContextHost,
  hasOwnPipes,
  isCustom,
  isPathParameter,
  NEST,
  type Parameter,
  parametersOf,
  requestAndResponse,
  typesOf,
} from './nest-internals.js';
import { readClientGone } from '../request/client-gone.js';
import { noteSpace } from '../../queue/answer-room.js';
import { answerSpaceOf, optionsOf } from './exchange.js';
import { readHeader } from '../request/headers.js';
import { LINKS } from '../../batches/graph.js';
import { within } from '../../validation/invalid.js';
import { checkPriorities, InputList, readInput } from '../request/input.js';
import { OverriddenInput } from '../request/method-override.js';
import { checkTaskFields, UnknownFields } from '../request/unknown-fields.js';
import { readUserId } from '../guards/user.guard.js';

const OURS: ReadonlySet<unknown> = new Set([readInput, readUserId, readClientGone, readHeader]);

interface HttpRequest {
  params: Record<string, string>;
}

/**
 * The parameters of a bound handler. This class reads and validates those with our decorators, by our own pipe,
 * because a global pipe of the host that also validates custom decorators would refuse each body. Nest reads the
 * parameters that the host has given other decorators or pipes of their own; it also passes the request and the
 * response.
 */
export class Parameters {
  private readonly ours: Parameter[];
  private readonly count: number;
  private types: unknown[] | undefined;
  private readonly unknown = new UnknownFields();

  constructor(
    private readonly Bound: Type,
    private readonly served: string,
    private readonly pipe: PipeTransform,
    host: Type,
    source: string,
    ownsMethod: boolean,
    private readonly route: {
      /** What the parameters that are tasks are checked by. */
      TaskDto: Type | undefined;
      refusesUnknown: boolean;
    },
  ) {
    const found = parametersOf(host, source);
    const all = Object.entries(ownsMethod ? withoutHeaders(found) : found);
    const piped = hasOwnPipes(host, source);
    const types = typesOf(host.prototype as object, source) ?? [];
    const isOurs = ([key, parameter]: [string, Parameter]): boolean =>
      !piped &&
      parameter.pipes.length === 0 &&
      (isCustom(key)
        ? OURS.has(parameter.factory)
        : isPathParameter(key, parameter) && types[parameter.index] === String);
    this.ours = all.filter(isOurs).map(([, parameter]) => parameter);
    this.count = Math.max(0, ...all.map(([, { index }]) => index + 1));
    const nests = Object.fromEntries(all.filter((entry) => !isOurs(entry)));
    Reflect.defineMetadata(NEST.parameters, { ...nests, ...requestAndResponse(this.count) }, Bound, served);
  }

  /** Splits the arguments from Nest into those of the handler, the request and the response. `fill()` adds ours. */
  split(given: unknown[]): { args: unknown[]; request: unknown; response: unknown } {
    return { args: given.slice(0, this.count), request: given[this.count], response: given[this.count + 1] };
  }

  /** A promise only if a pipe of a host's DTO needs one: most requests do without. */
  fill(args: unknown[], request: unknown, response: unknown): unknown[] | Promise<unknown[]> {
    const { Bound, served } = this;
    const proto = Bound.prototype as Record<string, () => unknown>;
    // Read at the first request: the DTOs of the registration are set after the constructor has run.
    this.types ??= typesOf(proto, served)!;
    const context = new RequestContext([request, response], Bound, proto[served]);
    const pending: Promise<void>[] = [];
    for (const { index, data, factory } of this.ours) {
      if (!factory) args[index] = (request as HttpRequest).params[data as string];
      else if (factory !== readInput) args[index] = factory(data, context);
      else {
        const input = this.inputOf(factory(data, context), this.types[index] as Type, context);
        const keep = (checked: unknown): void => {
          args[index] = checked;
          noteSpace(inputIn(checked), answerSpaceOf(request));
        };
        if (input instanceof Promise) pending.push(input.then(keep));
        else keep(input);
      }
    }
    return pending.length > 0 ? Promise.all(pending).then(() => args) : args;
  }

  private inputOf(value: unknown, metatype: Type, context: RequestContext): unknown {
    const { TaskDto, refusesUnknown } = this.route;
    const isStrict = refusesUnknown || optionsOf(context.getRequest())?.strictFields === true;
    this.unknown.check(value, metatype, context.getResponse(), isStrict);
    const checked: unknown = this.pipe.transform(value, { type: 'custom', metatype });
    return TaskDto ? this.withTasks(checked, TaskDto, context) : checked;
  }

  /** What holds tasks, each read as the body of a create. */
  private async withTasks(checked: unknown, metatype: Type, context: RequestContext): Promise<unknown> {
    const holder = (await checked) as HeldTasks;
    for (const name of ['task', 'then'] as const)
      if (isObject(holder[name]))
        holder[name] = await this.readTask(holder[name], metatype, context, { place: `${name}.` });
    if (!Array.isArray(holder.tasks)) return holder;
    const read: unknown[] = [];
    for (const [index, given] of holder.tasks.entries()) {
      if (!isObject(given)) read.push(given);
      else {
        const links = Object.fromEntries(Object.entries(given).filter(([name]) => LINKS.includes(name)));
        const task = Object.fromEntries(Object.entries(given).filter(([name]) => !LINKS.includes(name)));
        const where = { place: `tasks[${index}].`, beside: LINKS };
        read.push({ ...(await this.readTask(task, metatype, context, where)), ...links });
      }
    }
    holder.tasks = read;
    return holder;
  }

  private async readTask(
    task: Record<string, unknown>,
    metatype: Type,
    context: RequestContext,
    { place, beside = [] }: { place: string; beside?: readonly string[] },
  ): Promise<object> {
    checkTaskFields(task, metatype, place, beside);
    checkPriorities(context, 'POST', [[place, task]]);
    return within(place, async () => this.pipe.transform(task, { type: 'custom', metatype }) as Promise<object>);
  }
}

/** Parameters that are tasks. */
interface HeldTasks {
  task?: unknown;
  then?: unknown;
  tasks?: unknown;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Nest's own makes three functions each time that it is asked for the request. */
class RequestContext extends ExecutionContextHost {
  override switchToHttp(): HttpArguments {
    return this;
  }

  getRequest<T>(): T {
    return this.getArgByIndex(0);
  }

  getResponse<T>(): T {
    return this.getArgByIndex(1);
  }

  getNext<T>(): T {
    return this.getArgByIndex(2);
  }
}
type HttpArguments = ReturnType<ExecutionContextHost['switchToHttp']>;

/** The input that represents the request: the first one of a list. */
function inputIn(value: unknown): unknown {
  if (value instanceof OverriddenInput) return value.input;
  return value instanceof InputList ? (value as unknown[])[0] : value;
}

/** The parameters of a method that the host has overridden: it does not get our arguments for headers. */
export const withoutHeaders = (parameters: Record<string, Parameter>): Record<string, Parameter> =>
  Object.fromEntries(Object.entries(parameters).filter(([, { factory }]) => factory !== readHeader));
