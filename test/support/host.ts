import { describe, it } from '@jest/globals';
import type {
  CanActivate,
  DynamicModule,
  ExecutionContext,
  INestApplication,
  NestApplicationOptions,
  Type,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { TypeOrmModule } from '@nestjs/typeorm';
import type { DataSourceOptions } from 'typeorm';
import { TaskModule, type TaskModuleOptions, TaskService } from '../../src/index.js';
import { borrowDatabase, giveBack } from './database-pool.js';
import { createDatabase, type Engine, ENGINES, type TestDatabase } from './databases.js';
import { HostDataSource } from './host-data-source.js';
import { type Answer, call, type CallOptions } from './http.js';

export const ADAPTERS = ['express', 'fastify'] as const;
export type Adapter = (typeof ADAPTERS)[number];

/** Every engine that was found, with every adapter. */
export const MATRIX = ENGINES.flatMap((engine) => ADAPTERS.map((adapter) => ({ engine, adapter })));

/** Every engine once, the adapters in turn: for cases whose SQL differs. */
export const PLACES = ENGINES.map((engine, index) => ({ engine, adapter: ADAPTERS[(index + 1) % ADAPTERS.length]! }));

/** Set by `npm run test:all`: nothing is left out that takes long. */
export const WHOLE = process.env.TEST_MATRIX === 'all';

/** What `npm test` leaves out, aloud: it takes long, and shows what others show nearly as well. */
export const itInWhole: typeof it.skip = WHOLE ? it : it.skip;
export const describeInWhole: typeof describe.skip = WHOLE ? describe : describe.skip;

/** The contract's own cases: on every engine; in `npm run test:all` with every adapter. */
export const BATTERY = WHOLE ? MATRIX : PLACES;

/**
 * For cases that run the same whatever the place: one of these, chosen by the name of the test's file, so that all take
 * part; in `npm run test:all` each of them.
 */
export function spread({ url }: ImportMeta, places = PLACES): typeof PLACES {
  const sum = [...url.slice(url.lastIndexOf('/'))].reduce((total, letter) => total + letter.charCodeAt(0), 0);
  return WHOLE ? places : [places[sum % places.length]!];
}

export const WORKER_TOKEN = 'test-worker-token-0123456789';

/**
 * A host's guard, as simple as can be: the user is who the header `x-user` says (percent-encoded), until the time of
 * `x-exp`, in seconds since 1970.
 */
export class HeaderGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<{ headers: Record<string, string>; user?: unknown }>();
    const user = request.headers['x-user'];
    const exp = request.headers['x-exp'];
    if (user) request.user = { id: decodeURIComponent(user), ...(exp ? { exp: Number(exp) } : {}) };
    return true;
  }
}

export interface Host {
  app: INestApplication;
  url: string;
  tasks: TaskService;
  database: TestDatabase;
  /** As a user of this id, to a path. */
  user(id: string, method: string, path: string, options?: CallOptions): Promise<Answer>;
  /** As a worker, to a path. */
  worker(method: string, path: string, options?: CallOptions): Promise<Answer>;
  close(): Promise<void>;
}

export interface HostOptions {
  engine: Engine;
  adapter: Adapter;
  /** An existing database; without it a fresh one, dropped at close. */
  database?: TestDatabase;
  options?: TaskModuleOptions;
  /** Further modules and controllers of the host's. */
  imports?: any[];
  controllers?: Type[];
  /** An adapter with settings of its own. */
  http?: ExpressAdapter | FastifyAdapter;
  /** Called with the adapter before the app is made. */
  prepare?: (adapter: ExpressAdapter | FastifyAdapter) => void;
  /** How the module is imported; forRoot() without it. */
  register?: (options: TaskModuleOptions) => DynamicModule;
  /** Further options of the data source. */
  typeorm?: Pick<DataSourceOptions, 'migrations' | 'migrationsRun' | 'logging' | 'extra'>;
  /** Further options of the app. */
  nest?: NestApplicationOptions;
  /** Called before the app listens. */
  configure?: (app: INestApplication) => void;
}

export const createAdapter = (adapter: Adapter): ExpressAdapter | FastifyAdapter =>
  adapter === 'express' ? new ExpressAdapter() : new FastifyAdapter();

/** Options that the tables are made by. */
const SCHEMA_OPTIONS = ['entity', 'table', 'status', 'timeZone', 'migrate'];

const OF_HOSTS = { autoLoadEntities: true, retryAttempts: 1 };

/** A host app with the queue in it, listening on a free port. */
export async function startHost({ engine, adapter, options = {}, ...rest }: HostOptions): Promise<Host> {
  // Hosts with tables of their own, or another schema, leave nothing that others could use.
  const plain = !rest.imports && !rest.typeorm && !rest.register && SCHEMA_OPTIONS.every((name) => !(name in options));
  const database = rest.database ?? (await (plain ? borrowDatabase(engine) : createDatabase(engine)));
  const { register = (given) => TaskModule.forRoot(given) } = rest;
  const own = new HostDataSource();
  const leave = async (): Promise<void> => {
    if (!rest.database) await (plain ? giveBack(database) : database.drop());
  };
  class HostModule {}
  const module = {
    module: HostModule,
    imports: [
      TypeOrmModule.forRootAsync(own.optionsOf({ ...database.options(), ...rest.typeorm, ...OF_HOSTS })),
      register({ guards: [HeaderGuard], workerTokens: [WORKER_TOKEN], ...options }),
      ...(rest.imports ?? []),
    ],
    controllers: rest.controllers ?? [],
  };
  const http = rest.http ?? createAdapter(adapter);
  rest.prepare?.(http);
  const app = await NestFactory.create(module, http, {
    logger: ['error'],
    abortOnError: false,
    ...rest.nest,
  }).catch(async (error: unknown) => {
    await own.abandon();
    await leave();
    throw error;
  });
  rest.configure?.(app);
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  const withHeaders = (given: CallOptions, headers: Record<string, string>): CallOptions => ({
    ...given,
    headers: { ...headers, ...given.headers },
  });
  return {
    app,
    url,
    database,
    tasks: app.get(TaskService),
    user: (id, method, path, given = {}) =>
      call(method, url + path, withHeaders(given, { 'x-user': encodeURIComponent(id) })),
    worker: (method, path, given = {}) =>
      call(method, url + path, withHeaders(given, { authorization: `Bearer ${WORKER_TOKEN}` })),
    async close() {
      await app.close();
      await leave();
    },
  };
}
