import type { ClientRequest } from 'node:http';
import type { Readable } from 'node:stream';
import type { HttpService } from '@nestjs/axios';
import type { AxiosError, AxiosResponse } from 'axios';
import type { TakenCallback } from '../callback.rows.js';
import type { AllowedOrigin, AllowList } from '../targets/allow-list.js';
import { drain, leave } from './answer.js';
import { type Agents, agents, makeRoom, transport } from './agents.js';
import { lookupBy, type Resolve } from '../targets/lookup.js';
import { retryAfterSeconds } from './callback-retry.js';
import { signedHeaders } from './signature.js';

const ERROR_LENGTH = 200;

export interface DeliverySettings {
  /** Milliseconds that a try may take, its answer included. */
  timeout: number;
  secrets: Buffer[];
  allowed: AllowList;
  resolve: Resolve;
}

/**
 * What a receiver answered, or why it did not. `brokenOff`: this process ended the try, which says nothing of the
 * receiver.
 */
export type Answer = { status: number; retryAfter: number } | { error: string; brokenOff?: true };

/** Why a try is aborted before its timeout. */
const STOPPED = new Error('broken off because the process stopped');

/** POSTs callbacks. It trusts no receiver: time and bytes are bounded, and it follows no redirect and uses no proxy. */
export class Delivery {
  private readonly open: Agents;
  /** Agents by allowed origin: their connections may only go to that origin's networks. */
  private readonly guarded = new Map<string, Agents>();
  private readonly underWay = new Set<AbortController>();

  constructor(
    private readonly http: HttpService,
    private readonly settings: DeliverySettings,
  ) {
    forget(http.axiosRef.defaults);
    this.open = agents(lookupBy(settings.resolve), settings.timeout);
  }

  async post(callback: TakenCallback, time: Date, traceparent?: string): Promise<Answer> {
    const { allowed } = this.settings;
    const { isOwn, origin } = callback;
    const entry = isOwn ? allowed.find(origin) : undefined;
    // Allowed when the task was created and not now; or not yet, because processes get a new option one after the
    // other.
    if (isOwn && !entry) return { error: `option callbackAllow does not list ${origin}` };
    const through = entry ? this.agentsOf(entry) : this.open;
    makeRoom(through);
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), this.settings.timeout);
    this.underWay.add(controller);
    try {
      const response = await this.send(callback, time, traceparent, through, controller.signal);
      await drain(response.data, controller.signal);
      await leave(response.request as ClientRequest, controller.signal);
      return { status: response.status, retryAfter: retryAfterSeconds(response.headers['retry-after']) };
    } catch (error) {
      const { aborted, reason } = controller.signal;
      if (reason === STOPPED) return { error: STOPPED.message, brokenOff: true };
      return { error: aborted ? this.tooLate : reasonOf(error) };
    } finally {
      clearTimeout(timer);
      this.underWay.delete(controller);
    }
  }

  /** Breaks off the running tries, which become due again at once, and closes all connections. */
  close(): void {
    for (const controller of this.underWay) controller.abort(STOPPED);
    for (const { httpAgent, httpsAgent } of [this.open, ...this.guarded.values()])
      for (const agent of [httpAgent, httpsAgent]) agent.destroy();
  }

  private get tooLate(): string {
    return `no answer within ${this.settings.timeout / 1000} s`;
  }

  private async send(
    callback: TakenCallback,
    time: Date,
    traceparent: string | undefined,
    through: Agents,
    signal: AbortSignal,
  ): Promise<AxiosResponse<Readable>> {
    const { id, url, body } = callback;
    const request = () =>
      this.http.axiosRef.request<Readable>({
        ...through,
        method: 'POST',
        url,
        data: Buffer.from(body),
        headers: {
          'content-type': 'application/json',
          'user-agent': 'softdd-task',
          accept: '*/*',
          'accept-encoding': 'identity',
          ...(traceparent === undefined ? {} : { traceparent }),
          ...signedHeaders(this.settings.secrets, id, time, body),
        },
        adapter: 'http',
        transformRequest: [(data: unknown) => data],
        signal,
        responseType: 'stream',
        decompress: false,
        transport,
        maxRedirects: 0,
        proxy: false,
        validateStatus: () => true,
      });
    try {
      return await request();
    } catch (error) {
      // The receiver closed a kept connection as we used it, and has read almost nothing: this does not count as a try.
      if (signal.aborted || !lostKeptConnection(error as AxiosError)) throw error;
      return request();
    }
  }

  private agentsOf(entry: AllowedOrigin): Agents {
    let known = this.guarded.get(entry.origin);
    if (!known) {
      known = agents(lookupBy(this.settings.resolve, entry), this.settings.timeout);
      this.guarded.set(entry.origin, known);
    }
    return known;
  }
}

/**
 * Every axios instance inherits what the host has set for its own requests, such as credentials or a base URL.
 * Receivers must not get those.
 */
function forget(defaults: object): void {
  for (const name of Object.keys(defaults)) delete (defaults as Record<string, unknown>)[name];
}

function lostKeptConnection({ code, request }: AxiosError): boolean {
  const { reusedSocket } = (request ?? {}) as { reusedSocket?: boolean };
  return reusedSocket === true && (code === 'ECONNRESET' || code === 'EPIPE');
}

function reasonOf(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  // node:net wraps the errors of several addresses in an error without a message.
  return (message || code || String(error)).replaceAll(/\s+/g, ' ').slice(0, ERROR_LENGTH);
}
