import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { TaskWorker } from '../../../../src/client/index.js';
import { type Host, spread, startHost, WORKER_TOKEN } from '../../../support/host.js';
import { until } from '../../../support/until.js';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe.each(spread(import.meta))(
  'a worker that stops behind a proxy which polls on, on $engine with $adapter',
  (where) => {
    let host: Host;
    let proxy: Server;
    const sockets = new Set<Socket>();
    beforeAll(async () => {
      host = await startHost(where);
    });
    afterAll(() => host?.close());
    beforeEach(async () => {
      const { port, hostname } = new URL(host.url);
      // Keeps its side to the server up, whatever the client does.
      proxy = createServer({ allowHalfOpen: true }, (client) => {
        const server = connect(Number(port), hostname);
        for (const socket of [client, server]) sockets.add(socket.on('error', () => undefined));
        client.on('data', (chunk) => server.write(chunk));
        server.on('data', (chunk) => !client.destroyed && client.write(chunk));
      });
      await new Promise<void>((listening) => proxy.listen(0, '127.0.0.1', listening));
    });
    afterEach(() => {
      for (const socket of sockets) socket.destroy();
      proxy.close();
    });

    it('takes no task along: the next one has it at once, in its first attempt', async () => {
      const stopping = new TaskWorker({
        baseUrl: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
        token: WORKER_TOKEN,
        service: 'polled',
        handler: () => 'by the one that stopped',
      });
      const run = stopping.run();
      await pause(500);
      await stopping.close();
      await run;
      const next = new TaskWorker({
        baseUrl: host.url,
        token: WORKER_TOKEN,
        service: 'polled',
        handler: () => 'by the next',
      });
      const running = next.run();
      await pause(300);
      const { taskId } = await host.tasks.create({ userId: 'alice', input: 'in', service: 'polled', status: 10 });
      const ended = await until('the end', async () => {
        const task = await host.tasks.get(taskId);
        return task.status === 30 ? task : undefined;
      });
      expect(ended).toMatchObject({ output: 'by the next', attempts: 1 });
      await next.close();
      await running;
    });
  },
);
