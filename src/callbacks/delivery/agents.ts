import http, { type ClientRequest, Agent as HttpAgent, type IncomingMessage, type RequestOptions } from 'node:http';
import https, { Agent as HttpsAgent } from 'node:https';
import type { LookupFunction } from 'node:net';

/** The most idle connections that are kept, to all origins together, and the milliseconds that each is kept. */
const IDLE = { most: 256, timeout: 15_000 } as const;
/**
 * The most 1xx answers before the final one. Node reads any number of them, and the request ends only with its timeout.
 */
const INTERIM = 16;

export interface Agents {
  httpAgent: HttpAgent;
  httpsAgent: HttpsAgent;
}

/**
 * Connections whose addresses come from `lookup`. Each address of a name gets a third of the try's `timeout`
 * (milliseconds), because Node's own 250 ms per address are too few for a receiver far away.
 */
export function agents(lookup: LookupFunction, timeout: number): Agents {
  const options = {
    keepAlive: true,
    // For idle connections. A try has its own timeout.
    timeout: IDLE.timeout,
    autoSelectFamilyAttemptTimeout: Math.max(250, Math.ceil(timeout / 3)),
    lookup,
  };
  return { httpAgent: new HttpAgent(options), httpsAgent: new HttpsAgent(options) };
}

/** Closes idle connections when there are too many. The agent's own bound would make new connections wait. */
export function makeRoom({ httpAgent, httpsAgent }: Agents): void {
  const idle = [httpAgent, httpsAgent].flatMap(({ freeSockets }) => Object.values(freeSockets).flat());
  if (idle.length >= IDLE.most) for (const socket of idle) socket?.destroy();
}

/** Node's own requests, which follow no redirects. A request whose receiver sends too many 1xx answers ends. */
export const transport = {
  request(options: RequestOptions, answered: (response: IncomingMessage) => void): ClientRequest {
    const request = (options.protocol === 'https:' ? https : http).request(options, answered);
    let interim = 0;
    request.on('information', () => {
      interim += 1;
      if (interim > INTERIM) request.destroy(new Error(`the receiver sent more than ${INTERIM} answers of 1xx`));
    });
    return request;
  },
};
