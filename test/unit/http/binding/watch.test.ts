import { describe, expect, it } from '@jest/globals';
import {
  type CallHandler,
  ClassSerializerInterceptor,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
  UseInterceptors,
} from '@nestjs/common';
import { APP_INTERCEPTOR, Reflector } from '@nestjs/core';
import { Entity } from 'typeorm';
import { map, type Observable, tap } from 'rxjs';
import {
  type Subscription,
  Task,
  TaskController,
  TaskError,
  type TaskJson,
  type WatchTasksDto,
} from '../../../../src/index.js';
import { type EventStream, openStream } from '../../../support/event-stream.js';
import { ADAPTERS, startHost } from '../../../support/host.js';

@Entity('tasks', { synchronize: false })
class ShownTask extends Task {
  override toResponse(): TaskJson {
    return { ...super.toResponse(), shownBy: 'host' };
  }
}

class Watching extends TaskController {
  override watch(userId: string, query: WatchTasksDto): Subscription {
    if (query.service === 'secret') throw new TaskError('INVALID_ACCESS');
    return super.watch(userId, query) as Subscription;
  }
}

@Injectable()
class Wrapping implements NestInterceptor {
  intercept(_: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(map((data: object) => ({ wrapped: { ...data } })));
  }
}

const seen: string[] = [];
const looking: NestInterceptor = {
  intercept: (context, next) =>
    next.handle().pipe(tap(() => seen.push(context.switchToHttp().getRequest<{ url: string }>().url))),
};

@UseInterceptors(Wrapping)
class Intercepted extends Watching {}

describe.each(ADAPTERS)('A host that has its own way, with %s', (adapter) => {
  it.each([Watching, Intercepted])('streams its tasks: %p', async (controller) => {
    const host = await startHost({
      engine: 'sqlite',
      adapter,
      options: { controller, entity: ShownTask, getTaskListUri: '/jobs' },
      imports: [
        {
          module: class Global {},
          providers: [
            { provide: APP_INTERCEPTOR, useValue: looking },
            { provide: APP_INTERCEPTOR, useValue: new ClassSerializerInterceptor(new Reflector()) },
          ],
        },
      ],
      configure: (app) => app.enableCors({ origin: 'https://app.example.com' }),
    });
    const streams: EventStream[] = [];
    try {
      const { taskId } = await host.tasks.create({ userId: 'a', input: 'in', service: 's' });
      const headers = { 'x-user': 'a', origin: 'https://app.example.com' };
      const first = await openStream(`${host.url}/jobs/events?ids=${taskId}`, headers);
      streams.push(first);
      const synced = await first.synced();
      expect(first.tasks()).toMatchObject([{ taskId, shownBy: 'host' }]);
      expect(first.headers.get('access-control-allow-origin')).toBe('https://app.example.com');
      expect(first.headers.get('content-type')).toMatch(/^text\/event-stream/);
      expect(seen.pop()).toContain('/jobs/events');
      // The override has the header on its DTO.
      const again = await openStream(`${host.url}/jobs/events?ids=${taskId}`, {
        ...headers,
        'last-event-id': synced.id,
      });
      streams.push(again);
      expect((await again.synced()).data.resumed).toBe(true);
      const refused = await host.user('a', 'GET', '/jobs/events?service=secret');
      expect([refused.status, refused.body.data.code]).toEqual([430, 14002]);
    } finally {
      for (const stream of streams) stream.close();
      await host.close();
    }
  });
});
