import http, { type ClientRequest, Agent as HttpAgent, type IncomingMessage, type RequestOptions } from 'node:http';
import https, { Agent as HttpsAgent } from 'node:https';
import type { LookupFunction } from 'node:net';

/** Connections without a try that are kept, to all origins together, and milliseconds that each is kept. */
const IDLE = { most: 256, timeout: 15_000 } as const;
/** Answers of 1xx before the one that counts: Node reads any number of them, and does nothing else meanwhile. */
const INTERIM = 16;

export interface Agents {
  httpAgent: HttpAgent;
  httpsAgent: HttpsAgent;
}

/**
 * Connections that ask `lookup` where to go. Each address of a name has a third of the try's `timeout` (milliseconds): Node
 * gives up all but the last after a quarter of a second, which is little for a receiver far away.
 */
export function agents(lookup: LookupFunction, timeout: number): Agents {
  const options = {
    keepAlive: true,
    // For idle connections: a try has a timeout of its own.
    timeout: IDLE.timeout,
    autoSelectFamilyAttemptTimeout: Math.max(250, Math.ceil(timeout / 3)),
    lookup,
  };
  return { httpAgent: new HttpAgent(options), httpsAgent: new HttpsAgent(options) };
}

/** Gives idle connections up where they have become many. A bound of the agent's would let new ones wait for them. */
export function makeRoom({ httpAgent, httpsAgent }: Agents): void {
  const idle = [httpAgent, httpsAgent].flatMap(({ freeSockets }) => Object.values(freeSockets).flat());
  if (idle.length >= IDLE.most) for (const socket of idle) socket?.destroy();
}

/** Node's own requests, which follow no redirect; one whose receiver says 1xx for ever ends. */
export const transport = {
  request(options: RequestOptions, answered: (response: IncomingMessage) => void): ClientRequest {
    const request = (options.protocol === 'https:' ? https : http).request(options, answered);
    let interim = 0;
    request.on('information', () => {
      interim += 1;
      if (interim > INTERIM) request.destroy(new Error(`more than ${INTERIM} answers of 1xx`));
    });
    return request;
  },
};
