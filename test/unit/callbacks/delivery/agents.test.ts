import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { HttpService } from '@nestjs/axios';
import axios from 'axios';
import { AllowList } from '../../../../src/callbacks/targets/allow-list.js';
import { Delivery } from '../../../../src/callbacks/delivery/delivery.js';
import { resolveBySystem } from '../../../../src/callbacks/targets/lookup.js';
import type { TakenCallback } from '../../../../src/callbacks/callback.rows.js';
import { until } from '../../../support/until.js';

const DELIVERED = { status: 200, retryAfter: 0 };

const deliveryWithin = (timeout: number, resolve = resolveBySystem): Delivery => {
  const allowed = new AllowList([]);
  return new Delivery(new HttpService(axios.create()), { timeout, secrets: [], allowed, resolve });
};

let delivery: Delivery;
const withDelivery = () => {
  beforeEach(() => void (delivery = deliveryWithin(1000)));
  afterEach(() => delivery.close());
};

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
    traceparent: null,
    lapsedAt: undefined,
  };
  return delivery.post(callback, new Date());
};

const listen = (server: TcpServer, host = '127.0.0.1'): Promise<number> =>
  new Promise((listening) => server.listen(0, host, () => listening((server.address() as AddressInfo).port)));

describe('a receiver that answers before it has read', () => {
  withDelivery();

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
  withDelivery();

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
    await until('all are closed', () => open === 0);
    receiver.close();
  });
});

describe('a connection that was kept', () => {
  withDelivery();

  /** Answers once on each connection, and resets it with the next request. */
  async function resetting(): Promise<{ server: TcpServer; origin: string; connections: () => number }> {
    let connections = 0;
    const server = createTcpServer((socket) => {
      connections += 1;
      socket.on('error', () => undefined);
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
        socket.once('data', () => socket.resetAndDestroy());
      });
    });
    return { server, origin: `http://127.0.0.1:${await listen(server)}`, connections: () => connections };
  }

  it('and that its receiver gives up in this moment, is no failed try: a new one takes its place', async () => {
    const { server, origin, connections } = await resetting();
    for (let tries = 1; tries <= 3; tries++) {
      expect(await post(origin)).toEqual(DELIVERED);
      expect(connections()).toBe(tries);
    }
    server.close();
  });
});

describe('a receiver that answers 1xx without end', () => {
  withDelivery();

  /** In a process of its own: it writes as fast as it can. */
  const FLOOD = `
    const lines = Buffer.from('HTTP/1.1 103 Early Hints\\r\\n\\r\\n'.repeat(4000));
    require('node:net').createServer((socket) => {
      socket.on('error', () => undefined);
      const go = () => { while (!socket.destroyed && socket.write(lines)); socket.once('drain', go); };
      socket.once('data', go);
    }).listen(0, '127.0.0.1', function () { console.log(this.address().port); });`;
  let flooding: ChildProcess;
  afterEach(() => void flooding.kill());

  it('is cut off, and one that says a few is heard out', async () => {
    delivery = deliveryWithin(60_000);
    flooding = spawn(process.execPath, ['-e', FLOOD]);
    const port = await new Promise<string>((said) =>
      flooding.stdout!.once('data', (line) => said(String(line).trim())),
    );
    const start = performance.now();
    const answers = await Promise.all(Array.from({ length: 4 }, () => post(`http://127.0.0.1:${port}`)));
    expect(answers).toEqual(Array(4).fill({ error: 'the receiver sent more than 16 answers of 1xx' }));
    expect(performance.now() - start).toBeLessThan(30_000);

    const polite = createTcpServer((socket) => {
      const hints = 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(16);
      socket.once('data', () => socket.end(`${hints}HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n`));
    });
    expect(await post(`http://127.0.0.1:${await listen(polite)}`)).toEqual(DELIVERED);
    polite.close();
  });
});

describe('a name with several addresses', () => {
  withDelivery();

  /** Its queue of connections is full at first: the handshake needs the second packet, which comes after a second. */
  const FAR = `
import socket, time
server = socket.socket()
server.bind(("127.0.0.1", 0))
server.listen(0)
waiting = []
for _ in range(2):
    other = socket.socket()
    other.setblocking(False)
    other.connect_ex(server.getsockname())
    waiting.append(other)
time.sleep(0.1)
print(server.getsockname()[1], flush=True)
time.sleep(0.5)
while True:
    connection, _ = server.accept()
    connection.settimeout(1.5)
    try:
        if connection.recv(65536):
            connection.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\nConnection: close\\r\\n\\r\\n")
    except OSError:
        pass
    connection.close()`;
  let far: ChildProcess;
  afterEach(() => void far.kill());

  it('is reached at the first, though that is far, and the others nowhere', async () => {
    delivery = deliveryWithin(10_000, () =>
      Promise.resolve([
        { address: '127.0.0.1', family: 4 },
        { address: '2001:db8::1', family: 6 },
      ]),
    );
    far = spawn('python3', ['-c', FAR]);
    const port = await new Promise<string>((said) => far.stdout!.once('data', (line) => said(String(line).trim())));
    expect(await post(`http://far.test:${port}`)).toEqual(DELIVERED);
  });
});
