/** An address or CIDR range as bits; IPv4 is kept as IPv4-mapped IPv6, so that both spellings are the same address. */
interface Range {
  readonly value: bigint;
  readonly prefix: number;
}

/** @throws RangeError for text that is no IPv4 or IPv6 address or range */
export function parseRange(text: string): Range {
  const [address = '', bits, ...more] = text.trim().split('/');
  const value = parseAddress(address);
  const width = address.includes(':') ? 128 : 32;
  const prefix = bits === undefined ? width : /^\d{1,3}$/.test(bits) ? Number(bits) : NaN;
  if (value === undefined || more.length > 0 || !(prefix <= width))
    throw new RangeError('not an IP address or CIDR range');
  return { value, prefix: prefix + (128 - width) };
}

export const inRanges = (address: string, ranges: readonly Range[]): boolean => {
  const value = parseAddress(address);
  return value !== undefined && ranges.some((range) => (value ^ range.value) >> BigInt(128 - range.prefix) === 0n);
};
export type { Range };

/** 128 bits, or undefined for what is no address. A zone (`%eth0`) is no part of it. */
export function parseAddress(text: string): bigint | undefined {
  const v4 = parseV4(text);
  if (v4 !== undefined) return 0xffff_0000_0000n | v4;
  const [plain = ''] = text.split('%', 1);
  const tail = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(plain);
  const mapped = tail ? parseV4(tail[2]!) : undefined;
  if (tail && mapped === undefined) return undefined;
  const hex = tail ? `${tail[1]}${(mapped! >> 16n).toString(16)}:${(mapped! & 0xffffn).toString(16)}` : plain;
  const halves = hex.split('::');
  if (halves.length > 2 || !hex.includes(':')) return undefined;
  const [head = [], rest = []] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const zeros = 8 - head.length - rest.length;
  if (halves.length === 2 ? zeros < 1 : zeros !== 0) return undefined;
  const groups = [...head, ...Array.from({ length: zeros }, () => '0'), ...rest];
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  return groups.reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n);
}

function parseV4(text: string): bigint | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256))
    return undefined;
  return parts.reduce((value, part) => (value << 8n) | BigInt(part), 0n);
}

/**
 * Whom an address counts for where tries are counted: its IPv6 network of 64 bits, which is what one subscriber has at least
 * and can take any address of (RFC 6177 §2); the address itself where it is IPv4 or none.
 */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  // asked on every call, and the same few call again and again
  let network = networks.get(address);
  if (network === undefined) {
    if (networks.size >= NETWORKS_KEPT) networks.clear();
    const value = parseAddress(address);
    network = value === undefined || value >> 32n === 0xffffn ? address : networkText(value >> 64n);
    networks.set(address, network);
  }
  return network;
}
const networks = new Map<string, string>();
const NETWORKS_KEPT = 10_000;

const networkText = (bits: bigint): string =>
  bits === 0n
    ? '::/64'
    : `${[48n, 32n, 16n, 0n].map((shift) => ((bits >> shift) & 0xffffn).toString(16)).join(':')}::/64`;
