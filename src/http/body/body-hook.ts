import type { IncomingMessage, ServerResponse } from 'node:http';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { InjectTaskOptions } from '../../contract/registration.js';
import type { HttpSettings } from '../http.options.js';
import { showBody, stashBody } from './unparsed-body.js';
import { hideBody, restoreHeaders } from './hidden-headers.js';
import { type ExpressLayer, expressLayers, replaceExpressHandlers } from '../binding/nest-internals.js';
import { BodyCollector } from './body-collector.js';
import { routeOwner, TASK_ROUTE } from '../binding/bind-controllers.js';

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
 * Reads the bodies of this registration's routes before the adapter's own parsers do, and parses none: guards run
 * first, so that a request that they refuse costs no parsing. That makes Express and Fastify
 * alike (limits, media types, empty and malformed bodies), whatever parsers the host has, and keeps every failure
 * inside the module: the host's routes, parsers and filters see nothing of it.
 */
@Injectable()
export class BodyHook implements OnModuleInit {
  private routes: ExpressLayer[] = [];
  private readonly collector: BodyCollector;
  private express: HttpAdapterHost['httpAdapter'] | undefined;

  constructor(
    adapterHost: HttpAdapterHost,
    @InjectTaskOptions() private readonly options: HttpSettings,
  ) {
    this.collector = new BodyCollector(options.bodyLimit);
    // Middleware runs in the order of its registration, and the adapter's parsers register when the app starts.
    if (adapterHost.httpAdapter) this.install(adapterHost);
    else adapterHost.init$.subscribe(() => this.install(adapterHost));
  }

  /** Express has its routes by now: ours carry the metadata of their handlers. */
  onModuleInit(): void {
    if (!this.express) return;
    this.routes = expressLayers(this.express).filter((layer) =>
      layer.route?.stack.some(({ handle }) => routeOwner(handle) === this.options.name),
    );
    // The host's middleware is done: guards see the request as it came.
    replaceExpressHandlers(this.routes, (handle) => {
      if (routeOwner(handle) !== this.options.name) return undefined;
      return function (this: unknown, request, response, next) {
        restoreHeaders(request as IncomingMessage);
        return handle.call(this, request, response, next);
      };
    });
  }

  private install({ httpAdapter }: Partial<HttpAdapterHost>): void {
    // An application context serves no HTTP: a command, a worker in process.
    if (!httpAdapter) return;
    if (httpAdapter.getType() === 'fastify') this.installFastify(httpAdapter.getInstance<Fastify>());
    else {
      this.express = httpAdapter;
      httpAdapter.use((request: ExpressRequest, _response: ServerResponse, next: (error?: unknown) => void) => {
        this.readExpress(request).then(() => next(), next);
      });
    }
  }

  private async readExpress(request: ExpressRequest): Promise<void> {
    if (!hasBody(request) || request.readableEnded || !this.matches(request)) return;
    await stashBody(request, this.collector);
    showBody(request, request);
    request._body = true;
    if (/^\s*multipart\//i.test(request.headers['content-type'] ?? '')) hideBody(request);
  }

  private matches({ method, path }: ExpressRequest): boolean {
    return this.routes.some((layer) => layer.route!.methods[method!.toLowerCase()] && matchesPath(layer, path));
  }

  private installFastify(fastify: Fastify): void {
    const read = new WeakSet<FastifyRequest>();
    const readByHost = new WeakSet<FastifyRequest>();
    fastify.addHook('onRequest', (request, _reply, done) => {
      const { raw } = request;
      const ours = request.routeOptions.config[TASK_ROUTE] === this.options.name;
      if (!ours || !hasBody(raw)) return done();
      if (raw.readableEnded) {
        // The host has read it: for Fastify's parsers there is nothing left.
        readByHost.add(request);
        request.headers = NO_BODY;
        return done();
      }
      stashBody(raw, this.collector)
        .then(() => {
          read.add(request);
          request.headers = NO_BODY;
        })
        .then(() => done(), done);
    });
    fastify.addHook('preValidation', (request, _reply, done) => {
      // What is set adds to the headers that came.
      if (readByHost.has(request)) request.headers = {};
      if (read.has(request)) {
        request.headers = {};
        showBody(request, request.raw);
      }
      done();
    });
  }
}

/** By its headers (RFC 9112, 6.3). A GET's body counts too: Express would parse it, and refuse a malformed one its own way. */
const hasBody = ({ headers }: IncomingMessage): boolean =>
  'content-length' in headers || 'transfer-encoding' in headers;

/** A path with a broken percent sequence throws: it is nobody's, and the adapter says so. */
function matchesPath(layer: ExpressLayer, path: string): boolean {
  try {
    return layer.match(path);
  } catch {
    return false;
  }
}
