import { type LookupAddress, promises as dns } from 'node:dns';
import type { LookupFunction } from 'node:net';
import type { AllowedOrigin } from './allow-list.js';

/** The addresses of a name. */
export type Resolve = (hostname: string) => Promise<LookupAddress[]>;

/** As the operating system resolves names. */
export const resolveBySystem: Resolve = (hostname) => dns.lookup(hostname, { all: true });

/** Milliseconds that a question may take without its name being slow. */
const QUICK = 1000;
/** Slow names that are remembered. */
const MOST = 1000;

/**
 * Resolves names, each once at a time. Node has but two threads for it, which connections to databases need, too: a name
 * that hangs keeps one of them, and names that were slow wait for each other, not the quick ones for them.
 */
export function shared(resolve: Resolve): Resolve {
  const answers = new Map<string, Promise<LookupAddress[]>>();
  const waiting = new Map<string, () => void>();
  const underWay = new Set<string>();
  const slow = new Set<string>();

  const hasRoom = (hostname: string): boolean => {
    const slowOnes = [...underWay].filter((other) => slow.has(other)).length;
    return slow.has(hostname) ? slowOnes === 0 : underWay.size === slowOnes && slowOnes < 2;
  };
  const next = (): void => {
    for (const [hostname, begin] of waiting)
      if (hasRoom(hostname)) {
        waiting.delete(hostname);
        underWay.add(hostname);
        begin();
      }
  };
  const ask = async (hostname: string): Promise<LookupAddress[]> => {
    let isSlow = false;
    const timer = setTimeout(() => {
      isSlow = true;
      if (slow.size >= MOST) slow.delete(slow.keys().next().value!);
      slow.add(hostname);
      next();
    }, QUICK);
    try {
      return await resolve(hostname);
    } finally {
      clearTimeout(timer);
      if (!isSlow) slow.delete(hostname);
      underWay.delete(hostname);
      answers.delete(hostname);
      next();
    }
  };

  return (hostname) => {
    let answer = answers.get(hostname);
    if (!answer) {
      answer = new Promise<void>((begin) => waiting.set(hostname, begin)).then(() => ask(hostname));
      answers.set(hostname, answer);
      next();
    }
    return answer;
  };
}

/**
 * What a socket asks for its address. To an allowed origin the addresses are judged here, and the socket connects to no
 * other, so a name that leads elsewhere than it did a moment ago gains nothing.
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
