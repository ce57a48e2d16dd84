import { type CanActivate, createParamDecorator, type ExecutionContext, Injectable, Logger } from '@nestjs/common';
import { TaskError } from '../../contract/errors.js';
import { InjectAnswerRooms, InjectTaskOptions } from '../../contract/registration.js';
import type { AnswerRooms } from '../../queue/answer-room.js';
import { userIdRule } from '../../validation/rules.js';
import type { HttpSettings } from '../http.options.js';
import { admit } from '../binding/exchange.js';

const USER_ID = Symbol('softdd.task.userId');
type Asking = { [USER_ID]?: string };

export const readUserId = (_: unknown, context: ExecutionContext): string =>
  context.switchToHttp().getRequest<{ [USER_ID]: string }>()[USER_ID];

/** The owner for whom the request acts, at most 255 characters. */
export const UserId = createParamDecorator(readUserId);

/** Runs after the host's guards. Refuses a request without a user. */
@Injectable()
export class UserGuard implements CanActivate {
  private readonly logger = new Logger('TaskModule');
  private toldOfNumber = false;

  constructor(
    @InjectTaskOptions() private readonly options: HttpSettings,
    @InjectAnswerRooms() private readonly rooms: AnswerRooms,
  ) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const http = context.switchToHttp();
    const request = http.getRequest<Asking>();
    const letIn = (user: unknown): true => this.letIn(request, http.getResponse(), user);
    const user = this.options.userId(request);
    return typeof user === 'object' ? Promise.resolve(user).then(letIn) : letIn(user);
  }

  private letIn(request: Asking, response: object, user: unknown): true {
    const userId = typeof user === 'number' ? this.textOf(user) : user;
    if (userIdRule(userId) !== undefined) throw new TaskError('INVALID_TOKEN');
    request[USER_ID] = userId as string;
    return admit(request, response, this.options, this.rooms.user, userId as string);
  }

  /** Beyond 2^53 the parser of the token may have read two users as the same number, so such a number is nobody. */
  private textOf(user: number): string | undefined {
    if (Number.isSafeInteger(user)) return String(user);
    if (!this.toldOfNumber)
      this.logger.warn(
        `A user was refused with INVALID_TOKEN, because JavaScript cannot represent the number ${user} exactly as an id. ` +
          'Use integers up to 9007199254740991, or issue the id (`sub` of a token) as a string. This is logged once.',
      );
    this.toldOfNumber = true;
    return undefined;
  }
}
