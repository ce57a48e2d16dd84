import type { Task } from '../../contract/task.entity.js';
import type { NewRow } from '../../queue/stores/task.store.js';
import type { RuleProblem } from '../../validation/rule.js';
import { HREF_LENGTH, httpUrl } from '../../validation/url.rule.js';
import { literalAddress } from './address.js';
import { type AllowedOrigin, AllowList, ORIGIN_LENGTH, refusedUrl } from './allow-list.js';
import type { Resolve } from './lookup.js';

/** Where callbacks go: one address for all tasks, or a function of the task. undefined: no callback. */
export type CallbackUrl = string | ((task: any) => string | undefined);

/** Where one callback goes. */
export interface Target {
  url: string;
  origin: string;
  /** The task named it, not the host, so option `callbackAllow` applies. */
  isOwn: boolean;
}

/** Milliseconds that a create waits for a DNS lookup, and milliseconds that the addresses are remembered. */
const PATIENCE = 2000;
const MEMORY = 5000;

/** Knows where callbacks go, and which targets are allowed. */
export class CallbackTargets<T extends Task> {
  readonly allowed: AllowList;
  private readonly fixed: Target | undefined;
  private readonly addresses = new Map<string, { until: number; found: Promise<string[]> }>();

  constructor(
    private readonly callbackUrl: CallbackUrl | undefined,
    allow: string[],
    private readonly resolve: Resolve,
  ) {
    this.allowed = new AllowList(allow);
    this.fixed = typeof callbackUrl === 'string' ? hostTarget(callbackUrl) : undefined;
  }

  /** Whether any task can have a callback. */
  get exist(): boolean {
    return this.callbackUrl !== undefined || !this.allowed.isEmpty;
  }

  /** The task's own URL if it is allowed, else the host's. Throws what the host's function throws. */
  of(task: T): Target | undefined {
    return this.ownOf(task) ?? (typeof this.callbackUrl === 'function' ? this.asked(task) : this.fixed);
  }

  /** Where a notice goes that tells of no single task: to this own URL if it is allowed, else to the host's fixed one. */
  forNotice(url: string | null): Target | undefined {
    return (url === null ? undefined : this.ownUrl(url)) ?? this.fixed;
  }

  /**
   * The URL that a worker gets. undefined if the host's function fails: the outbox logs that at the end of the task.
   */
  handedTo(task: T): string | undefined {
    try {
      return this.of(task)?.url;
    } catch {
      return undefined;
    }
  }

  /** Converts a new task's own URL to the form that is stored. INVALID_PARAM if it must not be called. */
  admitRow(row: NewRow): Promise<void> | undefined {
    if (row.callbackUrl === undefined) return undefined;
    return this.admit(row.callbackUrl as string).then((url) => void (row.callbackUrl = url));
  }

  /**
   * The stored form of a task's own URL. INVALID_PARAM if it must not be called. A name that cannot be resolved now is
   * accepted, because every connection is checked again.
   */
  async admit(text: string): Promise<string> {
    const url = new URL(text);
    const allowed = this.allowed.demand(url);
    // An address that the list names is allowed by name.
    if (literalAddress(url) === undefined) await this.demandAddress(url.hostname, allowed);
    return url.href;
  }

  private async demandAddress(hostname: string, allowed: AllowedOrigin): Promise<void> {
    const addresses = await this.addressesOf(hostname);
    if (addresses.every((address) => allowed.permits(address))) return;
    throw refusedUrl(
      'leads to an address that is not public; to allow it, add its network after the origin in option callbackAllow',
    );
  }

  private addressesOf(hostname: string): Promise<string[]> {
    const known = this.addresses.get(hostname);
    if (known && known.until > performance.now()) return known.found;
    let timer: NodeJS.Timeout;
    const found = Promise.race([
      this.resolve(hostname).then((list) => list.map(({ address }) => address)),
      new Promise<string[]>((resolve) => (timer = setTimeout(resolve, PATIENCE, []))),
    ])
      .catch(() => [])
      .finally(() => clearTimeout(timer));
    // At most as many names as the list has.
    this.addresses.set(hostname, { until: performance.now() + MEMORY, found });
    return found;
  }

  private ownOf({ callbackUrl }: T): Target | undefined {
    return this.ownUrl(callbackUrl);
  }

  private ownUrl(text: string | null): Target | undefined {
    const url = httpUrl(text);
    return url && this.allowed.find(url.origin) ? target(url, true) : undefined;
  }

  private asked(task: T): Target | undefined {
    const url: unknown = (this.callbackUrl as (task: T) => unknown)(task);
    if (url === undefined || url === null || url === '') return undefined;
    if (url instanceof Promise) url.catch(() => undefined);
    return hostTarget(url);
  }
}

/** The host's own URL may lead anywhere. */
function hostTarget(url: unknown): Target {
  const parsed = httpUrl(url);
  if (!parsed || parsed.origin.length > ORIGIN_LENGTH)
    throw new TypeError(
      `callbackUrl returned ${describe(url)}; it must return an http:// or https:// URL synchronously`,
    );
  return target(parsed, false);
}

/** Stored in a form and length that every database and receiver takes. A longer one would roll back the task's end. */
function target({ href, origin }: URL, isOwn: boolean): Target {
  if (href.length > HREF_LENGTH)
    throw new TypeError(`callbackUrl has ${href.length} characters; it may have at most ${HREF_LENGTH}`);
  return { url: href, origin, isOwn };
}

const describe = (value: unknown): string =>
  value instanceof Promise ? 'a promise' : typeof value === 'string' ? 'a text that is not a URL' : `a ${typeof value}`;

/** Rule for option `callbackUrl`. */
export function callbackUrlRule(value: unknown): RuleProblem | undefined {
  if (typeof value === 'function') return undefined;
  const url = httpUrl(value);
  if (!url) return { rule: 'isUrl', msg: 'must be an http:// or https:// URL' };
  if (url.href.length > HREF_LENGTH || url.origin.length > ORIGIN_LENGTH)
    return { rule: 'maxLength', msg: `must be at most ${HREF_LENGTH} characters, and its origin ${ORIGIN_LENGTH}` };
  return undefined;
}
