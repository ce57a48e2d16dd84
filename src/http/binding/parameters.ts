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
    /** What the parameter `task` is checked by, if it is what a create takes. */
    private readonly TaskDto: Type | undefined,
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

  async fill(args: unknown[], request: unknown, response: unknown): Promise<unknown[]> {
    const { Bound, served, pipe } = this;
    const proto = Bound.prototype as Record<string, () => unknown>;
    // Read at the first request: the DTOs of the registration are set after the constructor has run.
    this.types ??= typesOf(proto, served)!;
    const context = new ExecutionContextHost([request, response], Bound, proto[served]);
    for (const { index, data, factory } of this.ours) {
      if (!factory) args[index] = (request as HttpRequest).params[data as string];
      else {
        const value = factory(data, context);
        const metatype = this.types[index] as Type;
        if (factory === readInput) {
          const isStrict = optionsOf(request)?.strictFields === true || this.TaskDto !== undefined;
          this.unknown.check(value, metatype, response, isStrict);
          args[index] = await pipe.transform(value, { type: 'custom', metatype });
          if (this.TaskDto) await this.readTask(args[index] as { task?: unknown }, this.TaskDto, context);
          noteSpace(inputIn(args[index]), answerSpaceOf(request));
        } else args[index] = value;
      }
    }
    return args;
  }

  /** As the body of a create is read. */
  private async readTask(holder: { task?: unknown }, metatype: Type, context: ExecutionContextHost): Promise<void> {
    const { task } = holder;
    if (typeof task !== 'object' || task === null) return;
    checkTaskFields(task, metatype, 'task.');
    checkPriorities(context, 'POST', [['task.', task as Record<string, unknown>]]);
    holder.task = await within('task.', async () => this.pipe.transform(task, { type: 'custom', metatype }) as unknown);
  }
}

/** The input that represents the request: the first one of a list. */
function inputIn(value: unknown): unknown {
  if (value instanceof OverriddenInput) return value.input;
  return value instanceof InputList ? (value as unknown[])[0] : value;
}

/** The parameters of a method that the host has overridden: it does not get our arguments for headers. */
export const withoutHeaders = (parameters: Record<string, Parameter>): Record<string, Parameter> =>
  Object.fromEntries(Object.entries(parameters).filter(([, { factory }]) => factory !== readHeader));
