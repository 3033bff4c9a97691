import fc from 'fast-check';
import { inRanges, networkOf, parseAddress, parseRange } from './addresses.js';

test.each([
  ['127.0.0.1', '127.0.0.0/8', true],
  ['128.0.0.1', '127.0.0.0/8', false],
  ['10.1.2.3', '10.1.2.3', true],
  ['10.1.2.4', '10.1.2.3', false],
  ['10.1.2.4', '10.1.2.0/23', true],
  ['10.1.3.255', '10.1.2.0/23', true],
  ['10.1.4.0', '10.1.2.0/23', false],
  ['203.0.113.9', '0.0.0.0/0', true],
  ['::ffff:10.1.2.3', '10.0.0.0/8', true],
  ['10.1.2.3', '::ffff:10.0.0.0/104', true],
  ['::1', '::1', true],
  ['0:0:0:0:0:0:0:1', '::1', true],
  ['2001:db8::1', '2001:db8::/32', true],
  ['2001:db9::1', '2001:db8::/32', false],
  ['fe80::1%eth0', 'fe80::/10', true],
  ['::1', '0.0.0.0/0', false],
  ['not an address', '0.0.0.0/0', false],
  ['', '::/0', false],
])('%s within %s is %s', (address, range, within) => {
  expect(inRanges(address, [parseRange(range)])).toBe(within);
});

test.each([
  '',
  '1.2.3',
  '1.2.3.4.5',
  '256.1.1.1',
  '01.2.3.4',
  '1.2.3.4/33',
  '::/129',
  '1.2.3.4/',
  '1.2.3.4/8/8',
  '1.2.3.4/-1',
  ':::',
  '1::2::3',
  '1:2:3:4:5:6:7',
  '1:2:3:4:5:6:7:8:9',
  'g::',
  '12345::',
  '::1.2.3',
  '1.2.3.4::',
])('%j is no address or range', (text) => {
  expect(() => parseRange(text)).toThrow(RangeError);
});

test('every IPv6 address is itself, however it is written', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 }), (groups) => {
      const value = groups.reduce((sum, group) => (sum << 16n) | BigInt(group), 0n);
      const plain = groups.map((group) => group.toString(16)).join(':');
      expect(parseAddress(plain)).toBe(value);
      expect(parseAddress(new URL(`http://[${plain}]`).hostname.slice(1, -1))).toBe(value);
    }),
  );
});

test('any text is an address or none, and never an error', () => {
  fc.assert(fc.property(fc.string(), (text) => ['bigint', 'undefined'].includes(typeof parseAddress(text))));
});

test.each([
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:DB8:1:2::1', '2001:db8:1:2::/64'],
  ['2001:db8:1:3::1', '2001:db8:1:3::/64'],
  ['::1', '::/64'],
  ['192.0.2.1', '192.0.2.1'],
  ['', ''],
])('tries from %j count for %j', (address, network) => expect(networkOf(address)).toBe(network));

test('an IPv4 address in IPv6 spelling counts for itself', () => {
  expect(networkOf('::ffff:192.0.2.1')).not.toBe(networkOf('::ffff:192.0.2.2'));
});
