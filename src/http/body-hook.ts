import type { IncomingMessage, ServerResponse } from 'node:http';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { InjectTaskOptions } from '../contract/registration.js';
import type { ResolvedTaskOptions } from '../task.options.js';
import { stashBody } from './body.js';
import { routeOwner, TASK_ROUTE } from './routes.js';

/** What we use of an Express router's layers; Nest itself looks at them by the same names. */
interface Layer {
  match(path: string): boolean;
  route?: { methods: Record<string, boolean>; stack: { handle: object }[] };
}
interface ExpressRequest extends IncomingMessage {
  path: string;
  body?: unknown;
  _body?: boolean;
}
interface FastifyRequest {
  raw: IncomingMessage;
  body: unknown;
  headers: Record<string, unknown>;
  routeOptions: { config: Record<string, unknown> };
}
type Done = (error?: Error) => void;
/** With a callback: a promise for each hook of each request would take longer than all that most of them do here. */
interface Fastify {
  addHook(
    name: 'onRequest' | 'preValidation',
    hook: (request: FastifyRequest, reply: unknown, done: Done) => void,
  ): void;
}

/** Sent by hand, so that no parser of the adapter's looks at a body that is already read. */
const NO_BODY = { 'content-type': undefined, 'content-length': undefined, 'transfer-encoding': undefined };

/**
 * Reads the bodies of this registration's routes before the adapter's own parsers do. That makes Express and Fastify
 * alike (limits, media types, empty and malformed bodies), whatever parsers the host has, and keeps every failure
 * inside the module: the host's routes, parsers and filters see nothing of it.
 */
@Injectable()
export class BodyHook implements OnModuleInit {
  private routes: Layer[] = [];
  private express: { router?: { stack: Layer[] }; _router?: { stack: Layer[] } } | undefined;

  constructor(
    adapterHost: HttpAdapterHost,
    @InjectTaskOptions() private readonly options: ResolvedTaskOptions,
  ) {
    // Middleware runs in the order of its registration, and the adapter's parsers register when the app starts.
    if (adapterHost.httpAdapter) this.install(adapterHost);
    else adapterHost.init$.subscribe(() => this.install(adapterHost));
  }

  /** Express has its routes by now: ours carry the metadata of their handlers. */
  onModuleInit(): void {
    const stack = (this.express?.router ?? this.express?._router)?.stack ?? [];
    this.routes = stack.filter((layer) =>
      layer.route?.stack.some(({ handle }) => routeOwner(handle) === this.options.name),
    );
  }

  private install({ httpAdapter }: Partial<HttpAdapterHost>): void {
    // An application context serves no HTTP: a command, a worker in process.
    if (!httpAdapter) return;
    if (httpAdapter.getType() === 'fastify') this.installFastify(httpAdapter.getInstance<Fastify>());
    else {
      this.express = httpAdapter.getInstance();
      httpAdapter.use((request: ExpressRequest, _response: ServerResponse, next: (error?: unknown) => void) => {
        this.readExpress(request).then(() => next(), next);
      });
    }
  }

  private async readExpress(request: ExpressRequest): Promise<void> {
    if (!hasBody(request) || request.readableEnded || !this.matches(request)) return;
    request.body = (await stashBody(request, this.options.bodyLimit)) ?? {};
    request._body = true;
  }

  private matches({ method, path }: ExpressRequest): boolean {
    return this.routes.some((layer) => layer.route!.methods[method!.toLowerCase()] && matchesPath(layer, path));
  }

  private installFastify(fastify: Fastify): void {
    const parsed = new WeakMap<FastifyRequest, unknown>();
    fastify.addHook('onRequest', (request, _reply, done) => {
      const { raw } = request;
      const ours = request.routeOptions.config[TASK_ROUTE] === this.options.name;
      if (!ours || !hasBody(raw) || raw.readableEnded) return done();
      stashBody(raw, this.options.bodyLimit)
        .then((value = {}) => {
          parsed.set(request, value);
          request.headers = NO_BODY;
        })
        .then(() => done(), done);
    });
    fastify.addHook('preValidation', (request, _reply, done) => {
      if (parsed.has(request)) {
        request.headers = {};
        request.body = parsed.get(request);
      }
      done();
    });
  }
}

/** By its headers (RFC 9112, 6.3). A GET's body counts too: Express would parse it, and refuse a malformed one its own way. */
const hasBody = ({ headers }: IncomingMessage): boolean =>
  'content-length' in headers || 'transfer-encoding' in headers;

/** A path with a broken percent sequence throws: it is nobody's, and the adapter says so. */
function matchesPath(layer: Layer, path: string): boolean {
  try {
    return layer.match(path);
  } catch {
    return false;
  }
}
