import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { TaskError } from '../../contract/errors.js';
import { InjectAnswerRooms, InjectTaskOptions } from '../../contract/registration.js';
import type { AnswerRooms } from '../../queue/answer-room.js';
import { userIdRule } from '../../validation/rules.js';
import { SEALED, type SealedRoute } from '../binding/answer-hook.js';
import { admit } from '../binding/exchange.js';
import type { HttpSettings, OperatorAccess } from '../http.options.js';
import { OperatorController } from '../operator.controller.js';
import { BearerTokens, nameOfToken } from './bearer-tokens.js';
import { noteOperator } from './operator-name.js';

interface OperatorRequest {
  headers: { authorization?: string };
  method: string;
}

/** Whether a request goes to a route for operators. See `isTaskWorkerRoute`. */
export const isTaskOperatorRoute = (context: ExecutionContext): boolean =>
  context.getClass().prototype instanceof OperatorController;

/**
 * Opens the operator routes to bearers of a token, and to nobody while there are neither tokens nor `operatorGuards`.
 * Without the right to do everything only routes that read are open: for others INVALID_ACCESS.
 */
@Injectable()
export class OperatorGuard implements CanActivate {
  private readonly all: BearerTokens;
  private readonly readers: BearerTokens;

  constructor(
    @InjectTaskOptions() private readonly options: HttpSettings,
    @InjectAnswerRooms() private readonly rooms: AnswerRooms,
  ) {
    this.all = new BearerTokens(options.operatorTokens);
    this.readers = new BearerTokens(options.operatorReadTokens);
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = context.switchToHttp();
    const request = http.getRequest<OperatorRequest>();
    const byToken = this.accessByToken(request);
    if (!byToken) throw new TaskError('INVALID_TOKEN');
    const byHost = await this.options.operatorAccess(request);
    const isFull = byToken === 'all' && byHost === 'all';
    if (!byHost || (!isFull && !onlyReads(context, request))) throw new TaskError('INVALID_ACCESS');
    noteOperator(request, { name: await this.nameOf(request), access: isFull ? 'all' : 'read' });
    return admit(request, http.getResponse(), this.options, this.rooms.operator, '');
  }

  private accessByToken({ headers: { authorization } }: OperatorRequest): OperatorAccess {
    const { all, readers } = this;
    if (!all.exist && !readers.exist) return this.options.operatorGuards === undefined ? undefined : 'all';
    if (all.fit(authorization)) return 'all';
    return readers.fit(authorization) ? 'read' : undefined;
  }

  private async nameOf(request: OperatorRequest): Promise<string | undefined> {
    const user = await this.options.userId(request);
    if (userIdRule(user) === undefined) return user as string;
    return request.headers.authorization === undefined ? undefined : nameOfToken(request.headers.authorization);
  }
}

function onlyReads(context: ExecutionContext, { method }: OperatorRequest): boolean {
  const route = Reflect.getMetadata(SEALED, context.getHandler()) as SealedRoute | undefined;
  return route ? route.readsOnly : method === 'GET' || method === 'HEAD';
}
