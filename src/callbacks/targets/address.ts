import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
export type Network = [Address, number];

/** An address in a public range that is the platform's own on every Azure machine. */
const PLATFORM = ['168.63.129.16'];
/** The range that the IPv6 internet routes. Addresses outside of it are for special use. */
const GLOBAL_IPV6: Network = [ipaddr.IPv6.parse('2000::'), 3];

/**
 * Whether an address is on the public internet: not loopback, private, link-local (where clouds keep their metadata),
 * shared, multicast or reserved, and not an IPv6 form that contains an IPv4 address. The exception is NAT64: in
 * networks with IPv6 only, names of the IPv4 internet lead there, and the IPv4 address inside is checked.
 */
export function isPublic(text: string): boolean {
  const given = parse(text);
  // 64:ff9b::/96 (RFC 6052).
  const address = given?.range() === 'rfc6052' ? new ipaddr.IPv4(given.toByteArray().slice(12)) : given;
  if (!address || PLATFORM.includes(address.toString())) return false;
  // ipaddr.js calls every other range unicast. IPv6 must also lie in the global range, because new special ranges
  // appear.
  return address.range() === 'unicast' && (address.kind() === 'ipv4' || lies(address, GLOBAL_IPV6));
}

/** Whether an address lies in one of these networks. */
export function isWithin(text: string, networks: Network[]): boolean {
  const address = parse(text);
  return address !== undefined && networks.some((network) => lies(address, network));
}

/** A network in CIDR notation. undefined if the text is not one. */
export function networkOf(text: string): Network | undefined {
  // Only full addresses: ipaddr.js would read 10/8 as 0.0.0.10/8.
  return isIP(text.split('/')[0]!) > 0 && ipaddr.isValidCIDR(text) ? ipaddr.parseCIDR(text) : undefined;
}

/** The address in a URL, without brackets. undefined if the URL has a name. */
export function literalAddress(url: URL): string | undefined {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return isIP(host) > 0 ? host : undefined;
}

const lies = (address: Address, [base, bits]: Network): boolean =>
  address.kind() === base.kind() && address.match(base as never, bits);

/** An IPv4 address that is mapped into IPv6 counts as the IPv4 address. */
function parse(text: string): Address | undefined {
  return isIP(text) > 0 ? ipaddr.process(text) : undefined;
}
