// Which addresses a webhook may name: those of the public internet. Whoever may make webhooks could otherwise have the worker ask
// servers that only the inside can reach. The address is checked where the connection is made: a name may answer anything, any time.
import { lookup, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Of IPv6, what the internet's registries give out; all else is not there, or is something that holds an IPv4 address. */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');

/**
 * Whether the text is an address of the public internet, in a notation that sockets take. ipaddr.js knows the classes; mapped,
 * translated and tunnelled addresses are not public whatever they hold: names that have IPv4 addresses give them as such.
 */
export function isPublic(address: string): boolean {
  // ipaddr.js alone would also read 0x7f.1 and 2130706433.
  if (isIP(address) === 0) return false;
  const parsed = ipaddr.parse(address);
  if (parsed.range() !== 'unicast') return false;
  return parsed instanceof ipaddr.IPv4 || parsed.match(GLOBAL_UNICAST);
}

export class AddressRefused extends Error {
  override readonly name = 'AddressRefused';
}

/** The host of a URL as an address, when it is one: then nobody looks it up. */
export function literalOf({ hostname }: URL): string | undefined {
  const bare = hostname.replace(/^\[(.*)\]$/, '$1');
  return isIP(bare) === 0 ? undefined : bare;
}

/** For sockets: refuses names of which any address is not public. */
export const publicLookup: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, found: LookupAddress[]) => {
    if (error) return callback(error, '', 0);
    if (found.length === 0 || !found.every(({ address }) => isPublic(address))) {
      return callback(new AddressRefused(`${hostname} has no public address`), '', 0);
    }
    if (options.all) return callback(null, found);
    callback(null, found[0]?.address ?? '', found[0]?.family ?? 0);
  });
};
