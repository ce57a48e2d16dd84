import type { HttpService } from '@nestjs/axios';
import type { Task } from '../contract/task.entity.js';
import { pruneJob } from '../polling/prune.js';
import type { Job, Service } from '../polling/poller.js';
import { ENDS } from '../queue/events.js';
import type { Queue } from '../queue/queue.js';
import { defined } from '../queue/service-policy.js';
import { BacklogStore } from './backlog.store.js';
import { CallbackStore } from './callback.store.js';
import { reading } from '../database/database.js';
import type { Script } from '../database/transaction.js';
import type { Dialect } from '../database/dialects/dialect.js';
import type { CallbackValues } from './callbacks.options.js';
import { Callbacks } from './callbacks.service.js';
import { Delivery } from './delivery/delivery.js';
import { Dispatcher } from './delivery/dispatcher.js';
import { type Resolve, resolveBySystem, shared } from './targets/lookup.js';
import { type BatchNotice, Outbox } from './outbox.js';
import { CALLBACK_RETRY } from './delivery/callback-retry.js';
import { secretsOf } from './delivery/signature.js';
import { CallbackTargets } from './targets/callback-targets.js';

/** How callbacks reach the network. */
export interface Outside {
  /** Uses an axios instance that nothing else uses. */
  http: HttpService;
  /** How names are resolved. undefined: by the operating system. */
  resolve?: Resolve | undefined;
}

/** The callbacks of a running queue. */
export interface CallbackRoom<T extends Task> {
  targets: CallbackTargets<T>;
  callbacks: Callbacks;
  services: Service[];
  jobs: Job[];
  /** For capabilities that tell of the end of a batch. */
  notices: {
    /** The form in which an own address is stored. INVALID_PARAM if it must not be called. */
    admit(url: string): Promise<string>;
    /** Writes a notice in the transaction that ends the batch. */
    notify(notice: BatchNotice): Script<void>;
    wake(): void;
  };
  /** Pending callbacks that nobody delivers with these options, counted up to 1,000. */
  stranded(): Promise<number>;
}

/** Adds the callbacks to a queue that has been opened. */
export function openCallbacks<T extends Task>(
  settings: CallbackValues,
  dialect: Dialect,
  { database, groupCommit, hooks, lifeCycle, traces }: Queue<T>,
  { http, resolve: given }: Outside,
): CallbackRoom<T> {
  const resolve = shared(given ?? resolveBySystem);
  const store = new CallbackStore(dialect);
  const backlog = new BacklogStore(dialect);
  const targets = new CallbackTargets<T>(settings.callbackUrl, settings.callbackAllow, resolve);
  const isOpen = settings.deliverCallbacks && targets.exist;
  const { callbackTimeout: timeout, callbackSecret, callbackRetry, callbackRetention } = settings;
  hooks.beforeCreate.push((row) => targets.admitRow(row));
  const outbox = new Outbox<T>(store, targets, lifeCycle);
  if (isOpen) {
    hooks.inTransaction.push((events) => outbox.add(events));
    hooks.beforeRunAgain.push((taskId) => outbox.room(taskId));
  }
  let dispatcher: Dispatcher | undefined;
  if (isOpen && settings.dispatchCallbacks) {
    const secrets = secretsOf(callbackSecret);
    const delivery = new Delivery(http, { timeout: timeout * 1000, secrets, allowed: targets.allowed, resolve });
    const retry = { ...CALLBACK_RETRY, ...defined(callbackRetry) };
    dispatcher = new Dispatcher(database, groupCommit, store, delivery, { timeout, retry }, traces);
    hooks.afterCommit.push(({ type }) => ENDS.includes(type) && dispatcher!.wake());
  }
  const seconds = callbackRetention * 86_400;
  const prune = pruneJob('deleting old callbacks', database, (limit) => store.purge(seconds, limit));
  return {
    targets,
    callbacks: new Callbacks(database, store, backlog, () => dispatcher?.wake()),
    services: dispatcher ? [dispatcher] : [],
    jobs: [prune],
    notices: {
      admit: (url) => targets.admit(url),
      *notify(notice) {
        if (isOpen) yield* outbox.addBatch(notice);
      },
      wake: () => dispatcher?.wake(),
    },
    stranded: async () => (isOpen ? 0 : reading(database, () => backlog.count('pending', 1000))),
  };
}
