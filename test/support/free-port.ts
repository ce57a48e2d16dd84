import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** Below the range that a system takes ports of its own choice from: none of those is lost to a connection. */
const RANGE = [20_000, 32_000] as const;

const isFree = (port: number): Promise<boolean> =>
  new Promise((answer) => {
    const server = createServer();
    server.once('error', () => answer(false)).listen(port, '127.0.0.1', () => server.close(() => answer(true)));
  });

/** A port of 127.0.0.1 that nobody serves, for a server that starts later, or ends and comes back. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(...RANGE);
    if (await isFree(port)) return port;
  }
}
