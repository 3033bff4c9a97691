import { inRanges, parseAddress, parseRange } from '@portcullis/guard/addresses';

/** Not "somebody out there": loopback, private, link-local, shared, documentation, benchmarking, relays, multicast. */
export const SPECIAL_USE_V4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.31.196.0/24',
  '192.52.193.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '192.175.48.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  // multicast (RFC 5771) and reserved with the broadcast address (RFC 1112 §4, RFC 919)
  '224.0.0.0/4',
  '240.0.0.0/4',
] as const;

/** Of IPv6 only this is handed out to the world (RFC 4291 §2.4); whatever lies outside is special by that alone. */
const GLOBAL_UNICAST = [parseRange('2000::/3')];
/** What is special within it: IETF assignments with Teredo and ORCHID, documentation, 6to4, AS112. */
export const SPECIAL_USE_V6 = ['2001::/23', '2001:db8::/32', '2002::/16', '2620:4f:8000::/48', '3fff::/20'] as const;

const V4 = SPECIAL_USE_V4.map(parseRange);
const V6 = SPECIAL_USE_V6.map(parseRange);

/**
 * Is this an address that nobody on the Internet should be able to send us to? IPv4 that is written as IPv6 (mapped,
 * NAT64, 6to4) is special whatever it stands for: who has a public IPv4 address can say so. What is no address is special.
 * @see IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890)
 */
export function isSpecialUse(address: string): boolean {
  if (parseAddress(address) === undefined) return true;
  if (!address.includes(':')) return inRanges(address, V4);
  return !inRanges(address, GLOBAL_UNICAST) || inRanges(address, V6);
}
