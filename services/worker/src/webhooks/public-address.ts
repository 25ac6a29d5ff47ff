// Which addresses a webhook may name: those of the public internet. Whoever may make webhooks could otherwise have the worker ask
// servers that only the inside can reach. The address is checked where the connection is made: a name may answer anything, any time.
import { lookup, type LookupAddress } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

const IPV4: readonly [string, number][] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
];
/** The translated and tunnelled ranges hold IPv4 addresses, also private ones. */
const IPV6: readonly [string, number][] = [
  ['::', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
];

const ipv4 = new BlockList();
const ipv6 = new BlockList();
for (const [net, prefix] of IPV4) ipv4.addSubnet(net, prefix, 'ipv4');
for (const [net, prefix] of IPV6) ipv6.addSubnet(net, prefix, 'ipv6');

/** `::ffff:a.b.c.d`, also written in hexadecimal, is an IPv4 address. */
const mapped = new BlockList();
mapped.addSubnet('::ffff:0:0', 96, 'ipv6');

export function isPublic(address: string): boolean {
  if (isIP(address) === 4) return !ipv4.check(address, 'ipv4');
  // A mapped address is never needed: names that have IPv4 addresses give them as such.
  return isIP(address) === 6 && !mapped.check(address, 'ipv6') && !ipv6.check(address, 'ipv6');
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
