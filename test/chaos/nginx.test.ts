import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type EventStream, openStream } from '../support/event-stream.js';
import { ADAPTERS, startHost } from '../support/host.js';
import { freePort } from '../support/free-port.js';
import { hasNginx } from '../support/machine.js';
import { listens } from '../support/private-servers.js';
import { until } from '../support/until.js';

/** nginx before a server, as it is installed: it buffers, and compresses what it may. */
async function proxy(url: string): Promise<{ url: string; drop(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'softdd-task-nginx-'));
  const port = await freePort();
  writeFileSync(
    join(folder, 'nginx.conf'),
    `daemon off; pid ${folder}/pid; error_log stderr;
events {}
http {
  access_log off;
  gzip on; gzip_types *; gzip_proxied any; gzip_min_length 1;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
  server { listen 127.0.0.1:${port}; location / { proxy_pass ${url}; } }
}
`,
  );
  const child: ChildProcess = spawn('nginx', ['-p', folder, '-c', join(folder, 'nginx.conf')], { stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('close', resolve));
  await until('nginx listens', async () => {
    if (child.exitCode !== null) throw new Error('nginx ended at its start');
    return listens(port);
  });
  return {
    url: `http://127.0.0.1:${port}`,
    async drop() {
      child.kill('SIGTERM');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

describe('Event streams behind nginx', () => {
  (hasNginx() ? it.each(ADAPTERS) : it.skip.each(ADAPTERS))(
    'arrive one by one, and end with their client (%s)',
    async (adapter) => {
      const host = await startHost({ engine: 'sqlite', adapter });
      const front = await proxy(host.url);
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
