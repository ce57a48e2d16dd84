import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { jwtVerify } from 'jose';
import { TaskError } from '../index.js';

/** A user sends a token signed with TASK_JWT_SECRET. Its `sub` is the user's id. */
@Injectable()
export class JwtGuard implements CanActivate {
  private readonly key: Uint8Array;

  constructor(secret: string) {
    this.key = new TextEncoder().encode(secret);
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<{ headers: { authorization?: string }; user?: unknown }>();
    const [, token] = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '') ?? [];
    if (!token) throw new TaskError('INVALID_TOKEN');
    try {
      const { payload } = await jwtVerify(token, this.key, { algorithms: ['HS256'] });
      // `exp` ends event streams.
      request.user = { sub: payload.sub, exp: payload.exp };
      return true;
    } catch {
      throw new TaskError('INVALID_TOKEN');
    }
  }
}
