import type { Script } from '../database/transaction.js';
import type { WaitReason } from '../protocol/wire.types.js';
import type { Turn } from '../database/dialects/dialect.js';
import type { TurnKey } from './turn-order.js';

export type { WaitReason } from '../protocol/wire.types.js';

/** The service, the owner and the group of a task. */
export interface Belonging {
  service: string;
  userId: string;
  group: string | null;
}

/** How the owners, or the groups, of a service take turns. */
export interface Turns {
  readonly by: Turn;
  /** Whether owners may have a limit of their own. */
  readonly isCapped: boolean;
  /** Owners of running tasks who may start no more. */
  readonly full: readonly string[];
  /** What runs of an owner or a group, with these tasks more, by its weight. */
  readonly load: (key: TurnKey, more: number) => number;
  /** How many more tasks of an owner may start. Infinity for a group. */
  readonly room: (key: TurnKey) => number;
  /** How many more tasks of this owner may start. */
  readonly roomOf: (userId: string) => number;
}

/**
 * How many tasks of limited services one transaction may start. The rows of these services are locked from `enter` to
 * the end of the transaction.
 */
export interface Allowance {
  /** Nobody else shares the transaction, so it may wait for a service that others hold. */
  readonly mayWait: boolean;
  /**
   * Locks those of the services that are limited, then counts. Services that other transactions hold are left out
   * unless it waits. Once a task is locked, it must not wait.
   */
  enter(services: readonly string[], waits?: boolean): Script<void>;
  /** How many more tasks of the service may start. Infinity if it is not limited; 0 if it was not entered. */
  left(service: string): number;
  /** Another transaction holds the service. */
  isHeld(service: string): boolean;
  /** Other transactions hold a service that was asked for. */
  readonly meetsOthers: boolean;
  /** No service is locked yet. A transaction that has locked one may not wait for another. */
  readonly isFree: boolean;
  /** Why no more tasks of the service may start. */
  reason(service: string): WaitReason | undefined;
  /** The time as of which tasks of the service start. undefined: any. */
  time(service: string): Date | undefined;
  /** Whether the row of a started task is marked, so that it counts. */
  isMarked(service: string): boolean;
  /** How owners or groups take turns. undefined: the oldest task comes first, of any owner. */
  turns(service: string): Turns | undefined;
  /** Takes started tasks off what is left. */
  started(tasks: readonly Belonging[]): Script<void>;
}

/** The limits of services. The control of the flow provides them. */
export interface Limits {
  /** Whether any service is limited. */
  readonly isAny: boolean;
  has(service: string): boolean;
  /** Names of the limited services. */
  readonly services: string[];
  /** Begins one transaction. */
  open(mayWait: boolean): Allowance;
  /** Those of these limited services, or of all, that have no room. As of now and without locks. */
  full(services?: readonly string[]): Script<Map<string, WaitReason>>;
}

const NONE: ReadonlySet<string> = new Set();

/**
 * The services whose tasks no claim gets at the moment. It filters claims, and never changes a task: a ready task keeps
 * its status and its place.
 */
export class Gates {
  /** Pauses a service for some seconds, because a worker says so. Never shortens a pause. */
  pause: ((service: string, seconds: number, workerId: string | null) => Promise<void>) | undefined;
  /** undefined: no service has a limit. */
  limits: Limits | undefined;
  private closed = NONE;

  /** Names of the closed services. */
  get closedServices(): ReadonlySet<string> {
    return this.closed;
  }

  isClosed(service: string): boolean {
    return this.closed.has(service);
  }

  /** Closes these services, and opens all others. Returns whether one was opened. */
  close(services: Iterable<string>): boolean {
    const before = this.closed;
    this.closed = new Set(services);
    return [...before].some((service) => !this.closed.has(service));
  }

  /** What one transaction may start. undefined: everything, because no service is limited. */
  allowance(mayWait: boolean): Allowance | undefined {
    return this.limits?.isAny ? this.limits.open(mayWait) : undefined;
  }

  /** The services from which a claim would get nothing now, and why. Looks at these, or at all. Takes no locks. */
  *shut(services?: readonly string[]): Script<Map<string, WaitReason>> {
    const shut = new Map([...this.closed].map((service): [string, WaitReason] => [service, 'paused']));
    if (!this.limits?.isAny) return shut;
    const open = services?.filter((service) => !shut.has(service) && this.limits!.has(service));
    if (open?.length === 0) return shut;
    const full = yield* this.limits.full(open);
    return new Map([...full, ...shut]);
  }
}
