import { type LookupAddress, promises as dns } from 'node:dns';
import type { LookupFunction } from 'node:net';
import type { AllowedOrigin } from './allow-list.js';

/** The addresses of a name. */
export type Resolve = (hostname: string) => Promise<LookupAddress[]>;

/** As the operating system resolves names. */
export const resolveBySystem: Resolve = (hostname) => dns.lookup(hostname, { all: true });

/** One question at a time for each name: the system resolves in few threads, which a name that hangs could all take. */
export function shared(resolve: Resolve): Resolve {
  const underWay = new Map<string, Promise<LookupAddress[]>>();
  return (hostname) => {
    let found = underWay.get(hostname);
    if (!found) {
      found = resolve(hostname).finally(() => underWay.delete(hostname));
      underWay.set(hostname, found);
    }
    return found;
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
