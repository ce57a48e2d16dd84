import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
export type Network = [Address, number];

/** Public by its range, and yet the platform's own on every machine of Azure. */
const PLATFORM = ['168.63.129.16'];
/** All that is routed on the IPv6 internet; what lies outside is for special use, whatever it is called. */
const GLOBAL_IPV6: Network = [ipaddr.IPv6.parse('2000::'), 3];

/**
 * Whether an address is one of the public internet's: not loopback, private, link-local (where clouds keep their
 * metadata), shared, multicast, reserved, nor an IPv6 form that carries an IPv4 address inside, but for NAT64's: where
 * IPv6 is all there is, names of the IPv4 internet lead there, and the address inside is what counts.
 */
export function isPublic(text: string): boolean {
  const given = parse(text);
  // 64:ff9b::/96 (RFC 6052).
  const address = given?.range() === 'rfc6052' ? new ipaddr.IPv4(given.toByteArray().slice(12)) : given;
  if (!address || PLATFORM.includes(address.toString())) return false;
  // What a range is not known by has none: refused by those that are known, and IPv6 outside of the global one.
  return address.range() === 'unicast' && (address.kind() === 'ipv4' || lies(address, GLOBAL_IPV6));
}

/** Whether an address lies in one of these networks. */
export function isWithin(text: string, networks: Network[]): boolean {
  const address = parse(text);
  return address !== undefined && networks.some((network) => lies(address, network));
}

/** A network in CIDR notation, or undefined for what is none. */
export function networkOf(text: string): Network | undefined {
  // Only whole addresses: ipaddr.js would take 10/8 for 0.0.0.10/8.
  return isIP(text.split('/')[0]!) > 0 && ipaddr.isValidCIDR(text) ? ipaddr.parseCIDR(text) : undefined;
}

/** The address that a URL names itself, without brackets; undefined for a name. */
export function literalAddress(url: URL): string | undefined {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return isIP(host) > 0 ? host : undefined;
}

const lies = (address: Address, [base, bits]: Network): boolean =>
  address.kind() === base.kind() && address.match(base as never, bits);

/** An IPv4 address mapped into IPv6 counts as what it is. */
function parse(text: string): Address | undefined {
  return isIP(text) > 0 ? ipaddr.process(text) : undefined;
}
