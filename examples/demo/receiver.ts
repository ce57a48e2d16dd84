import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Task } from '@softdd/task/client';
import { Webhook } from 'standardwebhooks';

export interface Receiver {
  url: string;
  close(): void;
}

/** Hears from the server of tasks that have ended, and believes only what is signed. */
export async function startReceiver(secret: string, hear: (type: string, task: Task) => void): Promise<Receiver> {
  const webhook = new Webhook(secret);
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      const headers = request.headers as Record<string, string>;
      try {
        const { type, data } = webhook.verify(body, headers) as { type: string; data: Task };
        hear(type, data);
        response.writeHead(204).end();
      } catch {
        response.writeHead(401).end();
      }
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/ended`, close: (): void => void server.close() };
}
