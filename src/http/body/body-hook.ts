import type { IncomingMessage, ServerResponse } from 'node:http';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { InjectTaskOptions } from '../../contract/registration.js';
import type { HttpSettings } from '../http.options.js';
import { hasStashed, showBody, stashBody } from './unparsed-body.js';
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
  /** Those that are set here count before the client's. */
  headers: Record<string, unknown> | undefined;
  routeOptions: { config: Record<string, unknown> };
}
type Done = (error?: Error) => void;
/** Hooks with a callback. A promise for each hook and request would take longer than the work of most hooks. */
interface Fastify {
  addHook(
    name: 'onRequest' | 'preValidation',
    hook: (request: FastifyRequest, reply: unknown, done: Done) => void,
  ): void;
}

/** Headers that keep Fastify's parsers from a body that is already read. */
const NO_BODY = { 'content-type': undefined, 'content-length': undefined, 'transfer-encoding': undefined };

/**
 * Reads the bodies of this registration's routes before the adapter's own parsers do. Large ones
 * are not parsed then: a request that a guard refuses costs at most the parsing of a small one. So Express and Fastify treat limits, media types, empty and
 * malformed bodies alike, with any parsers of the host, and each failure stays inside the module.
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
    // Middleware runs in the order in which it is registered. The adapter registers its parsers when the app starts.
    if (adapterHost.httpAdapter) this.install(adapterHost);
    else adapterHost.init$.subscribe(() => this.install(adapterHost));
  }

  /** At this point Express has its routes. The metadata of the handlers tells which are ours. */
  onModuleInit(): void {
    if (!this.express) return;
    this.routes = expressLayers(this.express).filter((layer) =>
      layer.route?.stack.some(({ handle }) => routeOwner(handle) === this.options.name),
    );
    // The host's middleware has run. From here on, guards see the headers of the client.
    replaceExpressHandlers(this.routes, (handle) => {
      if (routeOwner(handle) !== this.options.name) return undefined;
      return function (this: unknown, request, response, next) {
        restoreHeaders(request as IncomingMessage);
        return handle.call(this, request, response, next);
      };
    });
  }

  private install({ httpAdapter }: Partial<HttpAdapterHost>): void {
    // An application context, such as a command or a worker in process, serves no HTTP.
    if (!httpAdapter) return;
    if (httpAdapter.getType() === 'fastify') this.installFastify(httpAdapter.getInstance<Fastify>());
    else {
      this.express = httpAdapter;
      httpAdapter.use((request: ExpressRequest, _response: ServerResponse, next: () => void) => {
        this.readExpress(request, next);
      });
    }
  }

  private readExpress(request: ExpressRequest, next: () => void): void {
    if (!hasBody(request) || request.readableEnded || !this.matches(request)) return next();
    stashBody(request, this.collector, () => {
      showBody(request, request);
      request._body = true;
      if (/^\s*multipart\//i.test(request.headers['content-type'] ?? '')) hideBody(request);
      next();
    });
  }

  private matches({ method, path }: ExpressRequest): boolean {
    return this.routes.some((layer) => layer.route!.methods[method!.toLowerCase()] && matchesPath(layer, path));
  }

  private installFastify(fastify: Fastify): void {
    const ours = ({ raw, routeOptions }: FastifyRequest): boolean =>
      routeOptions.config[TASK_ROUTE] === this.options.name && hasBody(raw);
    fastify.addHook('onRequest', (request, _reply, done) => {
      if (!ours(request)) return done();
      request.headers = NO_BODY;
      // Otherwise the host has read the body.
      if (!request.raw.readableEnded) stashBody(request.raw, this.collector, done);
      else done();
    });
    fastify.addHook('preValidation', (request, _reply, done) => {
      if (ours(request)) {
        // Again those of the client. With an object, Fastify would copy them at each access.
        request.headers = undefined;
        if (hasStashed(request.raw)) showBody(request, request.raw);
      }
      done();
    });
  }
}

/**
 * The headers tell (RFC 9112, 6.3). The body of a GET counts, too: Express would parse it, and answer a malformed one
 * itself.
 */
const hasBody = ({ headers }: IncomingMessage): boolean =>
  'content-length' in headers || 'transfer-encoding' in headers;

/** A path with a broken percent sequence throws. It matches no route, and the adapter answers it. */
function matchesPath(layer: ExpressLayer, path: string): boolean {
  try {
    return layer.match(path);
  } catch {
    return false;
  }
}
