import { type CanActivate, createParamDecorator, type ExecutionContext, Injectable } from '@nestjs/common';
import { TaskError } from '../contract/errors.js';
import { InjectTaskOptions } from '../contract/registration.js';
import { userIdRule } from '../core/rules.js';
import type { ResolvedTaskOptions } from '../task.options.js';

const USER_ID = Symbol('softdd.task.userId');

/** The owner that the request speaks for, at most 255 characters. */
export const UserId = createParamDecorator(
  (_: unknown, context: ExecutionContext): string =>
    context.switchToHttp().getRequest<{ [USER_ID]: string }>()[USER_ID],
);

/** Runs after the host's guards: without a user nobody comes in. */
@Injectable()
export class UserGuard implements CanActivate {
  constructor(@InjectTaskOptions() private readonly options: ResolvedTaskOptions) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<{ [USER_ID]?: string }>();
    const user = await this.options.userId(request);
    const userId = typeof user === 'number' ? String(user) : user;
    if (userIdRule(userId) !== undefined) throw new TaskError('INVALID_TOKEN');
    request[USER_ID] = userId as string;
    return true;
  }
}
