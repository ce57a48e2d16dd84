import type { Type } from '@nestjs/common';
import { isObservable, lastValueFrom, map } from 'rxjs';
import type { TaskResponse } from '../../contract/response.js';
import { Subscription } from '../../live/subscription.js';
import { InputList } from '../request/input.js';
import { OverriddenInput } from '../request/method-override.js';
import { conduct, noteSubscription } from './exchange.js';
import { PlainText } from './plain-text.js';
import { type Handler, methodOf } from './lineage.js';
import type { Parameters } from './parameters.js';

/** A method of a host's controller that serves a route. */
interface HostMethod {
  host: Type;
  name: string;
  /** The method that serves a body which is a list. */
  many: string | undefined;
  response: TaskResponse;
  /** Reads the arguments. If absent, Nest reads them, and the method or Nest sends the answer. */
  parameters: Parameters | undefined;
  /** The host's controller has interceptors, which run between the method and the answer. */
  intercepted: boolean;
}

/**
 * The function that Nest calls in place of a host's method. The host's class stays as it is, and needs no decorators.
 *
 * Example: a host overrides `create`, and alice sends `POST /api/tasks` with `{"input":"a.mp4"}`.
 *
 *     class Videos extends TaskController {
 *       override async create(userId: string, body: CreateTaskDto): Promise<TaskJson> {
 *         return { ...(await super.create(userId, body)), isVideo: true };
 *       }
 *     }
 *
 * | step                 | what it returns                                                                           |
 * | -------------------- | ----------------------------------------------------------------------------------------- |
 * | `parameters.split()` | the request and the response, and what Nest has read by the host's own decorators         |
 * | `parameters.fill()`  | `['alice', CreateTaskDto {input: 'a.mp4'}]`, by the decorators of `TaskController.create` |
 * | `calling()`          | `create`; `createMany` for a list, `remove` for `_method=DELETE`                          |
 * | the host's method    | `{taskId: '…', input: 'a.mp4', isVideo: true}`                                            |
 * | `enveloped()`        | `{status: 1, data: {taskId: '…', input: 'a.mp4', isVideo: true}}`                         |
 * | `conduct()`          | keeps that as the answer; AnswerHook sends it when the global interceptors have finished  |
 */
export function handlerOf({ host, name, many, response, parameters, intercepted }: HostMethod): Handler {
  const call = (self: unknown, args: unknown[]): unknown => {
    const { called, given } = calling(args, name, many);
    return methodOf(host, called).apply(self, given);
  };
  if (!parameters)
    return async function (this: unknown, ...args) {
      return enveloped(response, await call(this, args));
    };
  return function (this: unknown, ...given) {
    const { args, request, response: reply } = parameters.split(given);
    const work = async (): Promise<unknown> => {
      const filled = parameters.fill(args, request, reply);
      const result = enveloped(response, await call(this, filled instanceof Promise ? await filled : filled));
      if (result instanceof Subscription) return noteSubscription(request, result);
      return isObservable(result) ? lastValueFrom(result) : result;
    };
    return intercepted ? work() : conduct(request, reply, work);
  };
}

/** The method that serves an input, and its arguments. */
function calling(args: unknown[], name: string, many: string | undefined): { called: string; given: unknown[] } {
  for (let index = 0; index < args.length; index++) {
    const arg = args[index];
    if (arg instanceof InputList && many !== undefined) return { called: many, given: args };
    if (arg instanceof OverriddenInput) return { called: arg.override.handler, given: args.with(index, arg.input) };
  }
  return { called: name, given: args };
}

/** A stream has no envelope, because its events are the tasks themselves, and neither has a text. */
const enveloped = (response: TaskResponse, result: unknown): unknown =>
  result instanceof Subscription || result instanceof PlainText
    ? result
    : isObservable(result)
      ? result.pipe(map((data) => response.success(data)))
      : response.success(result);
