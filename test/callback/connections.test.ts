import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { HttpService } from '@nestjs/axios';
import axios from 'axios';
import { AllowList } from '../../src/callback/allow-list.js';
import { Delivery } from '../../src/callback/delivery.js';
import { resolveBySystem } from '../../src/callback/lookup.js';
import type { TakenCallback } from '../../src/store/callback.store.js';
import { until } from '../support/until.js';

const DELIVERED = { status: 200, retryAfter: 0 };

const deliveryWithin = (timeout: number): Delivery => {
  const allowed = new AllowList([]);
  return new Delivery(new HttpService(axios.create()), { timeout, secrets: [], allowed, resolve: resolveBySystem });
};

let delivery: Delivery;
beforeEach(() => void (delivery = deliveryWithin(1000)));
afterEach(() => delivery.close());

const post = (origin: string, body = '{}') => {
  const url = `${origin}/done`;
  const callback: TakenCallback = {
    id: 'id',
    taskId: 'task',
    type: 'task.finished',
    url,
    origin,
    isOwn: false,
    body,
    attempts: 1,
    tries: [],
    token: 'token',
    lapsedAt: undefined,
  };
  return delivery.post(callback, new Date());
};

const listen = (server: TcpServer, host = '127.0.0.1'): Promise<number> =>
  new Promise((listening) => server.listen(0, host, () => listening((server.address() as AddressInfo).port)));

describe('a receiver that answers before it has read', () => {
  /** More than the sockets between us hold. */
  const LONG = 'x'.repeat(20_000_000);
  const sockets = new Set<Socket>();
  let read = 0;
  const receiver = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined);
    socket.on('data', (chunk) => (read += chunk.length));
    socket.once('data', () => socket.pause().write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'));
  });
  let origin: string;
  beforeEach(async () => {
    read = 0;
    origin = `http://127.0.0.1:${await listen(receiver)}`;
  });
  afterEach(() => void receiver.close());

  it('has the rest of the try for it', async () => {
    delivery = deliveryWithin(30_000);
    const answer = post(origin, LONG);
    await until('it has answered', () => sockets.size === 1);
    await new Promise((resolve) => setTimeout(resolve, 100));
    for (const socket of sockets) socket.resume();
    expect(await answer).toEqual(DELIVERED);
    await until('all was read', () => read >= LONG.length);
    delivery.close();
    await until('closed', () => sockets.size === 0);
  });

  it('keeps neither a connection nor a body after that', async () => {
    delivery = deliveryWithin(5000);
    const answers = await Promise.all([1, 2, 3].map(() => post(origin, LONG)));
    expect(answers).toEqual(Array(3).fill(DELIVERED));
    expect(sockets.size).toBe(3);
    // Only who reads on learns that the other side has gone.
    for (const socket of sockets) socket.resume();
    await until('all are closed', () => sockets.size === 0);
    expect(read).toBeLessThan(3 * LONG.length);
  });
});

describe('connections that are kept', () => {
  it('are so many at most, whatever the origins, and none for longer than a quarter of a minute', async () => {
    let open = 0;
    let most = 0;
    const receiver = createServer((request, response) => {
      request.resume().on('end', () => response.end());
    });
    receiver.keepAliveTimeout = 0;
    receiver.on('connection', (socket) => {
      most = Math.max(most, (open += 1));
      socket.on('close', () => (open -= 1));
    });
    const port = await listen(receiver, '0.0.0.0');
    for (let host = 1; host <= 320; host++)
      expect(await post(`http://127.0.${host >> 8}.${host & 255}:${port}`)).toEqual(DELIVERED);
    expect(open).toBeGreaterThan(0);
    expect(most).toBeLessThan(270);
    await until('all are closed', () => open === 0, 18);
    receiver.close();
  });
});
