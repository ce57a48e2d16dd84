import { Injectable, type OnModuleInit, type Type } from '@nestjs/common';
import { ExternalContextCreator, HttpAdapterHost, ModuleRef } from '@nestjs/core';
import { InjectTaskOptions } from '../../contract/registration.js';
import type { HttpSettings } from '../http.options.js';
import { TaskErrorFilter } from '../error.filter.js';
import { type Answer, begin, end, type Exchange } from './exchange.js';
import { sendEvents } from './send-events.js';
import {
  ExecutionContextHost,
  expressLayers,
  NEST,
  replaceExpressHandlers,
  type RouteHandler,
  RouteParamsFactory,
} from './nest-internals.js';

const JSON_TYPE = 'application/json; charset=utf-8';

/** Metadata of a handler whose answer global interceptors cannot change: how to call it if an interceptor did not. */
export const SEALED = 'softdd:task:sealed';
export interface SealedRoute {
  registration: string;
  controller: Type;
  /** Name of the controller's method. */
  handler: string;
  /** The host's controller has interceptors of its own. The answer is what they return. */
  intercepted: boolean;
  /** Value of Cache-Control if no cache may store the answer; undefined: the header stays as it is. */
  cacheControl: string | undefined;
  readsOnly: boolean;
}

interface FastifyRoute {
  handler: RouteHandler;
  config?: Record<string, unknown>;
}
/** A response of Express or Fastify. */
interface Sending {
  status(code: number): Sending;
  send(body: Buffer): unknown;
}
interface Fastify {
  addHook(name: 'onRoute', hook: (route: FastifyRoute) => void): void;
}

/**
 * Sends the answers of sealed routes, after everything that Nest runs around a handler. Nest would send the value
 * that the outermost interceptor returns. This hook sends the value that the handler has returned (see Exchange). If
 * an interceptor such as a cache has answered without calling the handler, the hook calls it now: two claims must
 * never get one answer.
 */
@Injectable()
export class AnswerHook implements OnModuleInit {
  private readonly filter: TaskErrorFilter;
  private readonly params = new RouteParamsFactory();

  constructor(
    private readonly adapterHost: HttpAdapterHost,
    private readonly moduleRef: ModuleRef,
    private readonly contexts: ExternalContextCreator,
    @InjectTaskOptions() private readonly options: HttpSettings,
  ) {
    this.filter = new TaskErrorFilter(adapterHost, options);
    // Fastify reads the handler of a route when the route is added.
    if (adapterHost.httpAdapter) this.installFastify();
    else adapterHost.init$.subscribe(() => this.installFastify());
  }

  /** At this point Express has its routes. */
  onModuleInit(): void {
    const { httpAdapter } = this.adapterHost;
    if (httpAdapter?.getType() !== 'express') return;
    replaceExpressHandlers(expressLayers(httpAdapter), (handle) => {
      const sealed = this.own(Reflect.getMetadata(SEALED, handle));
      return sealed && this.around(handle, sealed);
    });
  }

  private installFastify(): void {
    const { httpAdapter } = this.adapterHost;
    if (httpAdapter?.getType() !== 'fastify') return;
    httpAdapter.getInstance<Fastify>().addHook('onRoute', (route) => {
      const sealed = this.own(route.config?.[SEALED]);
      if (sealed) route.handler = this.around(route.handler, sealed);
    });
  }

  private own(sealed: unknown): SealedRoute | undefined {
    const route = sealed as SealedRoute | undefined;
    return route?.registration === this.options.name ? route : undefined;
  }

  private around(handler: RouteHandler, route: SealedRoute): RouteHandler {
    const { conclude } = this;
    return async function (this: unknown, request, response, next) {
      const exchange = begin(request, route.readsOnly);
      // Nest returns the response from async functions. Fastify's response is a thenable that waits until it is sent,
      // which happens below.
      const thenable = response as { then?: unknown };
      const { then } = thenable;
      if (then) thenable.then = undefined;
      try {
        await handler.call(this, request, response, next);
        // Otherwise another route of the host has served the request, such as another version.
        const pending = exchange.admitted && conclude(exchange, route, [request, response, next]);
        if (pending) await pending;
      } finally {
        // To delete it would make the object slow.
        if (then) thenable.then = then;
      }
    };
  }

  /** A promise only if the answer is not there yet, or is a stream. */
  private readonly conclude = (exchange: Exchange, route: SealedRoute, args: unknown[]): Promise<void> | undefined => {
    if (this.isOver(exchange, args)) return undefined;
    const { outcome } = exchange;
    if (outcome && 'answer' in outcome && !exchange.subscription) {
      this.send(exchange, route, args, outcome.answer);
      return undefined;
    }
    return this.wait(exchange, route, args);
  };

  private async wait(exchange: Exchange, route: SealedRoute, args: unknown[]): Promise<void> {
    try {
      const answer = await (exchange.run ?? this.call(exchange, route, args));
      if (this.isOver(exchange, args)) return;
      if (!exchange.subscription) return this.send(exchange, route, args, answer);
      await sendEvents(exchange.subscription, args);
      end(exchange);
    } catch (error) {
      this.fail(exchange, args, error);
    }
  }

  private send(exchange: Exchange, route: SealedRoute, args: unknown[], answer: Answer): void {
    const { httpAdapter } = this.adapterHost;
    const { body, status, contentType = JSON_TYPE } = answer;
    const [, response] = args;
    try {
      if (route.cacheControl !== undefined) httpAdapter.setHeader(response, 'Cache-Control', route.cacheControl);
      const isBytes = Buffer.isBuffer(body);
      if (typeof body === 'string' || isBytes) httpAdapter.setHeader(response, 'Content-Type', contentType);
      // Through Nest, Express would write the bytes as JSON.
      if (isBytes) (response as Sending).status(status).send(body);
      else httpAdapter.reply(response, body, status);
      end(exchange);
    } catch (error) {
      this.fail(exchange, args, error);
    }
  }

  private isOver(exchange: Exchange, [, response]: unknown[]): boolean {
    return exchange.over === true || this.adapterHost.httpAdapter.isHeadersSent(response);
  }

  private fail(exchange: Exchange, args: unknown[], error: unknown): void {
    exchange.outcome = { error };
    this.filter.catch(error, new ExecutionContextHost(args));
  }

  /** Does what Nest would have done without interceptors: reads the parameters, runs pipes, calls the handler. */
  private async call(exchange: Exchange, route: SealedRoute, args: unknown[]): Promise<Answer> {
    const { controller, handler, intercepted } = route;
    if (intercepted)
      throw new Error(
        `A global interceptor answered without calling ${controller.name}.${handler.replace(/Route$/, '')}, whose own ` +
          'interceptors must see each answer; exclude this route from the global interceptor.',
      );
    const instance = await this.instanceOf(controller);
    const callback = (instance as Record<string, (...args: unknown[]) => unknown>)[handler]!;
    const factory = {
      exchangeKeyForValue: (type: number, data: unknown, [req, res, next]: unknown[]): unknown =>
        this.params.exchangeKeyForValue(type, data as never, { req: req as object, res, next: next as never }),
    };
    const context = this.contexts.create(
      instance as Record<string, unknown>,
      callback,
      handler,
      NEST.parameters,
      factory as never,
      undefined,
      undefined,
      { guards: false, filters: false, interceptors: false },
    );
    await context(...args);
    return exchange.run!;
  }

  private async instanceOf(controller: Type): Promise<object> {
    try {
      return this.moduleRef.get<object>(controller);
    } catch {
      // The controller has the scope of a request, because something that it injects has.
      return this.moduleRef.resolve<object>(controller);
    }
  }
}
