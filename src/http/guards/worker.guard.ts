import { createHash, timingSafeEqual } from 'node:crypto';
import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { TaskError } from '../../contract/errors.js';
import { invalid } from '../../validation/invalid.js';
import { InjectAnswerRooms, InjectTaskOptions } from '../../contract/registration.js';
import type { AnswerRooms } from '../../queue/answer-room.js';
import type { HttpSettings } from '../http.options.js';
import { admit } from '../binding/exchange.js';
import { WorkerTaskController } from '../worker-task.controller.js';

/**
 * Whether a request goes to a route for workers, which `workerTokens` and `cronGuards` guard. A host's global guard
 * that knows only users lets these requests pass: `if (isTaskWorkerRoute(context)) return true;`.
 */
export const isTaskWorkerRoute = (context: ExecutionContext): boolean =>
  context.getClass().prototype instanceof WorkerTaskController;

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/**
 * Opens the worker routes to requests with one of `workerTokens`, and to nobody if there are neither tokens nor
 * `cronGuards`. It compares digests, which have the same length, so that its timing reveals nothing about a token.
 */
@Injectable()
export class WorkerGuard implements CanActivate {
  private readonly digests: Buffer[];

  constructor(
    @InjectTaskOptions() private readonly options: HttpSettings,
    @InjectAnswerRooms() private readonly rooms: AnswerRooms,
  ) {
    this.digests = options.workerTokens.map(digest);
  }

  canActivate(context: ExecutionContext): boolean {
    const http = context.switchToHttp();
    const request = http.getRequest<{ headers: { authorization?: string }; method: string }>();
    const { headers, method } = request;
    const letIn = (): true => admit(request, http.getResponse(), this.options, this.rooms.worker, '');
    // Both adapters serve HEAD with the handler of GET: it would claim a task, and the answer would be dropped.
    if (method === 'HEAD') throw invalid([{ field: 'method', rule: 'method', msg: 'method must be GET' }]);
    if (this.digests.length === 0 && this.options.cronGuards !== undefined) return letIn();
    const [, token = ''] = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '') ?? [];
    const given = digest(token);
    // Compares all tokens, even after a match.
    const fits = this.digests.reduce((found, known) => timingSafeEqual(known, given) || found, false);
    if (!fits) throw new TaskError('INVALID_TOKEN');
    return letIn();
  }
}
