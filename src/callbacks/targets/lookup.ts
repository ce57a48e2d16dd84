import { type LookupAddress, promises as dns } from 'node:dns';
import type { LookupFunction } from 'node:net';
import type { AllowedOrigin } from './allow-list.js';

/** Resolves a name to its addresses. */
export type Resolve = (hostname: string) => Promise<LookupAddress[]>;

/** Uses the resolver of the operating system. */
export const resolveBySystem: Resolve = (hostname) => dns.lookup(hostname, { all: true });

/** A name is quick if its lookup takes at most this many milliseconds. */
const QUICK = 1000;
/** The most names that are remembered. */
const MOST = 1000;

/**
 * Resolves names, each name once at a time. At most two of Node's threads are used for it, because connections to
 * databases need threads, too: one for names that were quick last time, the other for the rest, new names first. A name
 * that hangs therefore delays no name that is known to work.
 */
export function shared(resolve: Resolve): Resolve {
  const answers = new Map<string, Promise<LookupAddress[]>>();
  const waiting = new Map<string, () => void>();
  const underWay = new Set<string>();
  /** Whether a name was quick. */
  const known = new Map<string, boolean>();

  const isQuick = (hostname: string): boolean => known.get(hostname) === true;
  const remember = (hostname: string, quick: boolean): void => {
    known.delete(hostname);
    known.set(hostname, quick);
    if (known.size > MOST) known.delete(known.keys().next().value!);
  };
  const begin = (names: string[]): void => {
    const [hostname] = names;
    if (hostname === undefined || underWay.size >= 2) return;
    if ([...underWay].some((other) => isQuick(other) === isQuick(hostname))) return;
    underWay.add(hostname);
    waiting.get(hostname)!();
    waiting.delete(hostname);
  };
  const next = (): void => {
    const names = [...waiting.keys()];
    begin(names.filter(isQuick));
    begin([...names.filter((name) => !known.has(name)), ...names.filter((name) => known.get(name) === false)]);
  };
  const ask = async (hostname: string): Promise<LookupAddress[]> => {
    const start = performance.now();
    const timer = setTimeout(() => {
      remember(hostname, false);
      next();
    }, QUICK);
    try {
      return await resolve(hostname);
    } finally {
      clearTimeout(timer);
      remember(hostname, performance.now() - start < QUICK);
      underWay.delete(hostname);
      answers.delete(hostname);
      next();
    }
  };

  return (hostname) => {
    let answer = answers.get(hostname);
    if (!answer) {
      answer = new Promise<void>((go) => waiting.set(hostname, go)).then(() => ask(hostname));
      answers.set(hostname, answer);
      next();
    }
    return answer;
  };
}

/**
 * The lookup function of a socket. For an allowed origin it checks the addresses, and the socket connects only to
 * these. So it does not help an attacker to change what the name resolves to.
 */
export const lookupBy =
  (resolve: Resolve, allowed?: AllowedOrigin): LookupFunction =>
  (hostname, { all }, done) => {
    resolve(hostname).then(
      (addresses) => {
        const [first] = addresses;
        if (!first) return done(new Error(`${hostname} has no address`), '');
        const refused = allowed && addresses.find(({ address }) => !allowed.permits(address));
        if (refused)
          return done(new Error(`${hostname} leads to ${refused.address}, which callbackAllow does not allow`), '');
        if (all) done(null, addresses);
        else done(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => done(error, ''),
    );
  };
