import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';

/** Stands for your own sign-in: whoever sends `X-User: alice` is alice. Verify a session or a token here. */
@Injectable()
export class UserGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<{ headers: Record<string, string>; user?: { id: string } }>();
    const id = request.headers['x-user'];
    if (id) request.user = { id };
    return true;
  }
}
