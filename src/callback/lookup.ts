import { type LookupAddress, promises as dns } from 'node:dns';
import type { LookupFunction } from 'node:net';
import type { AllowedOrigin } from './allow-list.js';

/** The addresses of a name. */
export type Resolve = (hostname: string) => Promise<LookupAddress[]>;

/** As the operating system resolves names. */
export const resolveBySystem: Resolve = (hostname) => dns.lookup(hostname, { all: true });

/** Milliseconds that a question may take for its name to be a quick one. */
const QUICK = 1000;
/** Names that are remembered. */
const MOST = 1000;

/**
 * Resolves names, each once at a time. Node has but two threads for it, which connections to databases need, too: one is
 * for names that were answered quickly last time, and the other for all others, the new ones first. So a name that hangs
 * holds up none that is known to work.
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
