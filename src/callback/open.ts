import type { HttpService } from '@nestjs/axios';
import type { Task } from '../contract/task.entity.js';
import type { LifeCycle } from '../core/life-cycle.js';
import { defined } from '../core/policy.js';
import type { Batcher } from '../store/batcher.js';
import { CallbackStore } from '../store/callback.store.js';
import { type Database, reading } from '../store/database.js';
import type { Dialect } from '../store/dialect.js';
import type { CallbackValues } from './callback.options.js';
import { Callbacks } from './callbacks.js';
import { Delivery } from './delivery.js';
import { Dispatcher } from './dispatcher.js';
import { type Resolve, resolveBySystem, shared } from './lookup.js';
import { Outbox } from './outbox.js';
import { CALLBACK_RETRY } from './retry.js';
import { secretsOf } from './signature.js';
import { Targets } from './targets.js';

/** What callbacks reach the world by. */
export interface Outside {
  /** Over an instance of axios that nobody else uses. */
  http: HttpService;
  /** How names are resolved; absent: as the operating system does. */
  resolve?: Resolve | undefined;
}

/** What callbacks are kept in and delivered by. */
export interface CallbackRoom<T extends Task> {
  store: CallbackStore;
  targets: Targets<T>;
  outbox: Outbox<T>;
  /** Absent where this process delivers none. */
  dispatcher: Dispatcher | undefined;
  callbacks: Callbacks;
  /** Pending ones that these options have nobody deliver; counted to a thousand. */
  stranded(): Promise<number>;
}

export function openCallbacks<T extends Task>(
  settings: CallbackValues,
  {
    dialect,
    database,
    batcher,
    lifeCycle,
  }: { dialect: Dialect; database: Database; batcher: Batcher; lifeCycle: LifeCycle },
  outside: Outside,
): CallbackRoom<T> {
  const { http } = outside;
  const resolve = shared(outside.resolve ?? resolveBySystem);
  const store = new CallbackStore(dialect);
  const targets = new Targets<T>(settings.callbackUrl, settings.callbackAllow, resolve);
  const isOpen = settings.deliverCallbacks && targets.exist;
  const { callbackTimeout: timeout, callbackSecret, callbackRetry } = settings;
  const delivery = (): Delivery =>
    new Delivery(http, {
      timeout: timeout * 1000,
      secrets: secretsOf(callbackSecret),
      allowed: targets.allowed,
      resolve,
    });
  const dispatcher =
    isOpen && settings.dispatchCallbacks
      ? new Dispatcher(database, batcher, store, delivery(), {
          timeout,
          retry: { ...CALLBACK_RETRY, ...defined(callbackRetry) },
        })
      : undefined;
  return {
    store,
    targets,
    outbox: new Outbox<T>(store, targets, lifeCycle, isOpen),
    dispatcher,
    callbacks: new Callbacks(database, store, () => dispatcher?.wake()),
    stranded: async () => (isOpen ? 0 : reading(database, () => store.pending(1000))),
  };
}
