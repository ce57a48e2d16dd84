import type { Task } from '../contract/task.entity.js';
import type { RuleProblem } from '../core/rules.js';
import { literalAddress } from './address.js';
import { type AllowedOrigin, AllowList, HREF_LENGTH, httpUrl, ORIGIN_LENGTH, refusedUrl } from './allow-list.js';
import type { Resolve } from './lookup.js';

/** Where callbacks go: one address for all tasks, or the address for each; undefined for none. */
export type CallbackUrl = string | ((task: any) => string | undefined);

/** Where one callback goes. */
export interface Target {
  url: string;
  origin: string;
  /** The task named it, not the host: it is held to option `callbackAllow`. */
  isOwn: boolean;
}

/** Milliseconds that a create waits for a name to be resolved, and that the addresses are then remembered. */
const PATIENCE = 2000;
const MEMORY = 5000;

/** Knows where callbacks go, and where they may. */
export class Targets<T extends Task> {
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

  /** Whether any task can have one. */
  get exist(): boolean {
    return this.callbackUrl !== undefined || !this.allowed.isEmpty;
  }

  /** A task's own where it is allowed, else the host's. Throws what the host's function throws. */
  of(task: T): Target | undefined {
    return this.ownOf(task) ?? (typeof this.callbackUrl === 'function' ? this.asked(task) : this.fixed);
  }

  /** What a worker is handed: nothing where the host's function fails, which the callback itself tells of. */
  handedTo(task: T): string | undefined {
    try {
      return this.of(task)?.url;
    } catch {
      return undefined;
    }
  }

  /**
   * A task's own URL in the form in which it is kept; INVALID_PARAM where it may not be called. A name that nobody can
   * resolve just now is let through: every connection is held to the same rule.
   */
  async admit(text: string): Promise<string> {
    const url = new URL(text);
    const allowed = this.allowed.demand(url);
    // An address that the list itself names is allowed by name.
    if (literalAddress(url) === undefined) await this.demandAddress(url.hostname, allowed);
    return url.href;
  }

  private async demandAddress(hostname: string, allowed: AllowedOrigin): Promise<void> {
    const addresses = await this.addressesOf(hostname);
    if (addresses.every((address) => allowed.permits(address))) return;
    throw refusedUrl(
      'leads to an address that is not public; for one inside, option callbackAllow names its network beside the origin',
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
    // As many as the list has names.
    this.addresses.set(hostname, { until: performance.now() + MEMORY, found });
    return found;
  }

  private ownOf({ callbackUrl }: T): Target | undefined {
    const url = httpUrl(callbackUrl);
    return url && this.allowed.find(url.origin) ? target(url, true) : undefined;
  }

  private asked(task: T): Target | undefined {
    const url: unknown = (this.callbackUrl as (task: T) => unknown)(task);
    if (url === undefined || url === null || url === '') return undefined;
    if (url instanceof Promise) url.catch(() => undefined);
    return hostTarget(url);
  }
}

/** The host's own may point anywhere. */
function hostTarget(url: unknown): Target {
  const parsed = httpUrl(url);
  if (!parsed || parsed.origin.length > ORIGIN_LENGTH)
    throw new TypeError(`callbackUrl answered ${describe(url)}: it must be an http:// or https:// URL, at once`);
  return target(parsed, false);
}

/** In a form and of a length that every database and receiver takes: a longer one would undo the end that it tells of. */
function target({ href, origin }: URL, isOwn: boolean): Target {
  if (href.length > HREF_LENGTH)
    throw new TypeError(`callbackUrl has ${href.length} characters: it must have at most ${HREF_LENGTH}`);
  return { url: href, origin, isOwn };
}

const describe = (value: unknown): string =>
  value instanceof Promise ? 'a promise' : typeof value === 'string' ? 'a text that is none' : `a ${typeof value}`;

/** Rule for option `callbackUrl`. */
export function callbackUrlRule(value: unknown): RuleProblem | undefined {
  if (typeof value === 'function') return undefined;
  const url = httpUrl(value);
  if (!url) return { rule: 'isUrl', msg: 'must be an http:// or https:// URL' };
  if (url.href.length > HREF_LENGTH || url.origin.length > ORIGIN_LENGTH)
    return { rule: 'maxLength', msg: `must be at most ${HREF_LENGTH} characters, and its origin ${ORIGIN_LENGTH}` };
  return undefined;
}
