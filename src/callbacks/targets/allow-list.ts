import { type TaskError } from '../../contract/errors.js';
import { invalid } from '../../validation/invalid.js';
import type { RuleProblem } from '../../validation/rule.js';
import { withoutSecrets } from '../../validation/shown.js';
import { httpUrl } from '../../validation/url.rule.js';
import { isPublic, isWithin, literalAddress, type Network, networkOf } from './address.js';

/** The most characters of an origin. */
export const ORIGIN_LENGTH = 300;

/** An origin that tasks may name, and the networks to which its name may lead besides public addresses. */
export class AllowedOrigin {
  constructor(
    readonly origin: string,
    private readonly networks: Network[],
  ) {}

  /** Whether a connection to this address is allowed. The origin's name resolved to it. */
  permits(address: string): boolean {
    return isPublic(address) || isWithin(address, this.networks);
  }
}

/** The origins of option `callbackAllow`. */
export class AllowList {
  private readonly origins: Map<string, AllowedOrigin>;

  constructor(entries: string[]) {
    const allowed = entries.map((entry) => parse(entry)).filter((entry) => entry instanceof AllowedOrigin);
    this.origins = new Map(allowed.map((entry) => [entry.origin, entry]));
  }

  get isEmpty(): boolean {
    return this.origins.size === 0;
  }

  find(origin: string): AllowedOrigin | undefined {
    return this.origins.get(origin);
  }

  /** The origin of a task's own URL. INVALID_PARAM if it is not listed. */
  demand(url: URL): AllowedOrigin {
    const found = this.find(url.origin);
    if (found) return found;
    throw refusedUrl(
      this.isEmpty
        ? 'is not allowed: option callbackAllow lists no origins'
        : `has origin ${url.origin.slice(0, ORIGIN_LENGTH)}, which option callbackAllow does not list`,
    );
  }
}

/** INVALID_PARAM for a task's own callback URL. */
export const refusedUrl = (why: string): TaskError =>
  invalid([{ field: 'callbackUrl', rule: 'callbackAllow', msg: `callbackUrl ${why}` }]);

/** An entry of the option: an origin, then optional networks, separated by spaces. */
function parse(entry: unknown): AllowedOrigin | string {
  if (typeof entry !== 'string') return 'is not a text';
  const [text = '', ...rest] = entry.trim().split(/\s+/);
  const url = httpUrl(text);
  if (url?.hostname.includes('*')) return 'has a wildcard; list each origin separately';
  if (!url || url.href !== `${url.origin}/` || text.endsWith('/') || url.origin.length > ORIGIN_LENGTH)
    return 'is not an origin; give only scheme, host and port';
  const networks = rest.map((network) => networkOf(network));
  const wrong = rest.find((_, index) => networks[index] === undefined);
  if (wrong !== undefined) return `has ${wrong}, which is not a network such as 10.0.0.0/8`;
  if (networks.length > 0 && literalAddress(url) !== undefined)
    return 'is an address already; remove the network after it';
  return new AllowedOrigin(url.origin, networks as Network[]);
}

/** Rule for option `callbackAllow`. */
export function callbackAllowRule(value: unknown): RuleProblem | undefined {
  const rule = 'callbackAllow';
  if (!Array.isArray(value)) return { rule, msg: 'must be a list of origins such as https://hooks.example.com' };
  const seen = new Set<string>();
  for (const entry of value) {
    const parsed = parse(entry);
    const why =
      typeof parsed === 'string'
        ? parsed
        : seen.has(parsed.origin) && `names ${parsed.origin} a second time; put all its networks into one entry`;
    if (why)
      return {
        rule,
        msg: `must be a list of origins such as https://hooks.example.com; ${withoutSecrets(JSON.stringify(entry))} ${why}`,
      };
    if (parsed instanceof AllowedOrigin) seen.add(parsed.origin);
  }
  return undefined;
}
