import { describe, expect, it } from '@jest/globals';
import { type EventStream, openStream } from '../support/event-stream.js';
import { ADAPTERS, startHost } from '../support/host.js';
import { hasNginx } from '../support/machine.js';
import { startNginx } from '../support/nginx.js';
import { until } from '../support/until.js';

describe('Event streams behind nginx', () => {
  (hasNginx() ? it.each(ADAPTERS) : it.skip.each(ADAPTERS))(
    'arrive one by one, and end with their client (%s)',
    async (adapter) => {
      const host = await startHost({ engine: 'sqlite', adapter });
      const front = await startNginx(`location / { proxy_pass ${host.url}; }`);
      let stream: EventStream | undefined;
      try {
        const { taskId } = await host.tasks.create({ userId: 'alice', input: 'in', status: 10 });
        const headers = { 'x-user': 'alice', 'accept-encoding': 'gzip' };
        stream = await openStream(`${front.url}/api/tasks/events?ids=${taskId}`, headers);
        await stream.synced();
        expect(stream.headers.get('server')).toContain('nginx');
        const [claimed] = await host.tasks.claim({ taskId });
        const { leaseToken } = claimed!;
        await stream.event('the start', ({ data }) => data.status === 20);
        for (const progress of [10, 20, 30]) {
          await host.tasks.report(taskId, { leaseToken: leaseToken!, progress });
          // Each event has come before the next one is caused.
          await stream.event('the progress', ({ data }) => data.progress === progress);
        }
        await host.tasks.report(taskId, { leaseToken: leaseToken!, status: 30 });
        await stream.event('the end', ({ data }) => data.status === 30);
        expect(host.tasks.live.size.streams).toBe(1);
        stream.close();
        await until('the stream is closed', () => host.tasks.live.size.streams === 0);
      } finally {
        stream?.close();
        await front.drop();
        await host.close();
      }
    },
  );
});
