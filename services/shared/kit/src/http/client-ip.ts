// The client's address: X-Forwarded-For counts only from a trusted proxy, read from the right, syntax checked.
import ipaddr from 'ipaddr.js';

/** Ranges whose `X-Forwarded-For` is believed. */
export type TrustedProxies = readonly (readonly [ipaddr.IPv4 | ipaddr.IPv6, number])[];

/** Parses CIDRs such as 10.0.0.0/8; throws with the wrong one named. */
export function parseTrustedProxies(cidrs: readonly string[]): TrustedProxies {
  return cidrs.map((cidr) => {
    try {
      return ipaddr.parseCIDR(cidr.includes('/') ? cidr : `${cidr}/${cidr.includes(':') ? 128 : 32}`);
    } catch {
      throw new Error(`TRUSTED_PROXIES: ${cidr} is not an address range such as 10.0.0.0/8`);
    }
  });
}

/** The right-most address that is not a trusted proxy; the peer itself when it is not trusted or the header is malformed. */
export function clientIp(peer: string, forwardedFor: string | undefined, trusted: TrustedProxies): string {
  const hops = (forwardedFor ?? '').split(',').map((hop) => hop.trim());
  let address = plainAddress(peer);
  while (isTrusted(address, trusted)) {
    const hop = hops.pop();
    if (!hop || !ipaddr.isValid(hop)) break;
    address = plainAddress(hop);
  }
  return address;
}

/** One form for each address: `::ffff:10.0.0.1` is 10.0.0.1. */
export function plainAddress(address: string): string {
  return ipaddr.isValid(address) ? ipaddr.process(address).toString() : address;
}

function isTrusted(address: string, trusted: TrustedProxies): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  return trusted.some(([range, bits]) => parsed.kind() === range.kind() && parsed.match(range, bits));
}

/** What a limit by address counts as one: an IPv4 address, or the /64 of an IPv6 address, since one host has all of that. */
export function addressGroup(address: string): string {
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  if (parsed instanceof ipaddr.IPv4) return parsed.toString();
  return `${parsed.parts
    .slice(0, 4)
    .map((part) => part.toString(16))
    .join(':')}::/64`;
}
