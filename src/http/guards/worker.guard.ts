import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { TaskError } from '../../contract/errors.js';
import { invalid } from '../../validation/invalid.js';
import { InjectAnswerRooms, InjectTaskOptions } from '../../contract/registration.js';
import type { AnswerRooms } from '../../queue/answer-room.js';
import type { HttpSettings } from '../http.options.js';
import { admit } from '../binding/exchange.js';
import { BearerTokens } from './bearer-tokens.js';
import { WorkerTaskController } from '../worker-task.controller.js';

/**
 * Whether a request goes to a route for workers, which `workerTokens` and `cronGuards` guard. A host's global guard
 * that knows only users lets these requests pass: `if (isTaskWorkerRoute(context)) return true;`.
 */
export const isTaskWorkerRoute = (context: ExecutionContext): boolean =>
  context.getClass().prototype instanceof WorkerTaskController;

/**
 * Opens the worker routes to requests with one of `workerTokens`, and to nobody if there are neither tokens nor
 * `cronGuards`.
 */
@Injectable()
export class WorkerGuard implements CanActivate {
  private readonly tokens: BearerTokens;

  constructor(
    @InjectTaskOptions() private readonly options: HttpSettings,
    @InjectAnswerRooms() private readonly rooms: AnswerRooms,
  ) {
    this.tokens = new BearerTokens(options.workerTokens);
  }

  canActivate(context: ExecutionContext): boolean {
    const http = context.switchToHttp();
    const request = http.getRequest<{ headers: { authorization?: string }; method: string }>();
    const { headers, method } = request;
    const letIn = (): true => admit(request, http.getResponse(), this.options, this.rooms.worker, '');
    // Both adapters serve HEAD with the handler of GET: it would claim a task, and the answer would be dropped.
    if (method === 'HEAD') throw invalid([{ field: 'method', rule: 'method', msg: 'method must be GET' }]);
    if (!this.tokens.exist && this.options.cronGuards !== undefined) return letIn();
    if (!this.tokens.fit(headers.authorization)) throw new TaskError('INVALID_TOKEN');
    return letIn();
  }
}
