import { parseRange } from './addresses.js';
import { arrivedOverHttps, clientAddress } from './forwarding.js';

const arrived = (remoteAddress: string, headers: Record<string, string | string[]> = {}, encrypted = false) => ({
  socket: { remoteAddress, encrypted },
  headers,
});
const proxies = ['10.0.0.0/8', '127.0.0.1'].map(parseRange);

test.each([
  ['the peer when no proxy is trusted', '10.0.0.1', '6.6.6.6', [], '10.0.0.1'],
  ['the peer when it is no trusted proxy', '203.0.113.9', '6.6.6.6', proxies, '203.0.113.9'],
  ['what the trusted peer says', '10.0.0.1', '203.0.113.9', proxies, '203.0.113.9'],
  [
    'the last untrusted hop, not what the client claims',
    '10.0.0.1',
    '6.6.6.6, 203.0.113.9, 10.0.0.2',
    proxies,
    '203.0.113.9',
  ],
  ['the first hop when all are trusted', '10.0.0.1', '10.0.0.3, 10.0.0.2', proxies, '10.0.0.3'],
  ['the proxy when it says nothing', '10.0.0.1', undefined, proxies, '10.0.0.1'],
  ['the proxy when it says no address', '10.0.0.1', '203.0.113.9, unknown', proxies, '10.0.0.1'],
  ['an IPv4 hop without its port', '10.0.0.1', '203.0.113.9:51234', proxies, '203.0.113.9'],
  ['an IPv6 hop without brackets and port', '10.0.0.1', '[2001:db8::1]:443', proxies, '2001:db8::1'],
  ['an IPv6 hop without brackets', '10.0.0.1', '[2001:db8::1]', proxies, '2001:db8::1'],
  [
    'an IPv6 hop as it is, since what follows its last colon is no port',
    '10.0.0.1',
    '2001:db8::1:443',
    proxies,
    '2001:db8::1:443',
  ],
  ['an IPv4 hop without port and IPv6 clothes', '10.0.0.1', '[::ffff:203.0.113.9]:80', proxies, '203.0.113.9'],
  [
    'the hop before trusted ones, ports and blanks or not',
    '10.0.0.1',
    ' 6.6.6.6 ,203.0.113.9:1,\t10.0.0.2:65535 ',
    proxies,
    '203.0.113.9',
  ],
  ['an IPv4 peer without its IPv6 clothes', '::ffff:203.0.113.9', undefined, [], '203.0.113.9'],
])('the address of a request is %s', (_what, peer, forwarded, trusted, address) => {
  const headers: Record<string, string> = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
  expect(clientAddress(arrived(peer, headers), trusted)).toBe(address);
});

test.each([
  '203.0.113.9:',
  '203.0.113.9:0',
  '203.0.113.9:080',
  '203.0.113.9:65536',
  '203.0.113.9:8o',
  '203.0.113.9:80:80',
  '203.0.113.9 80',
  '[203.0.113.9]:80',
  '[203.0.113.9',
  '[2001:db8::1',
  '2001:db8::1]:443',
  '[2001:db8::1]443',
  '[2001:db8::1]:',
  '[2001:db8::1]:65536',
  '[2001:db8::1]:443]',
  '[[2001:db8::1]]:443',
  '[]:443',
  '[::g]:443',
  'host:443',
  '300.0.113.9:80',
  '1.2.3:80',
  ':80',
  '"[2001:db8::1]:443"',
])('a proxy that says %s says no address', (hop) => {
  const headers = { 'x-forwarded-for': `6.6.6.6, ${hop}` };
  expect(clientAddress(arrived('10.0.0.1', headers), proxies)).toBe('10.0.0.1');
});

test('a socket that is gone has no address', () => {
  expect(clientAddress({ socket: {}, headers: {} }, proxies)).toBe('');
});

test.each([
  ['over TLS', arrived('203.0.113.9', {}, true), true],
  ['over plain http', arrived('203.0.113.9'), false],
  ['over plain http, claiming https itself', arrived('203.0.113.9', { 'x-forwarded-proto': 'https' }), false],
  ['from a trusted proxy that says https', arrived('10.0.0.1', { 'x-forwarded-proto': 'HTTPS' }), true],
  ['from a trusted proxy that says http', arrived('10.0.0.1', { 'x-forwarded-proto': 'http' }), false],
  ['from a trusted proxy that says nothing', arrived('10.0.0.1'), false],
  ['from a trusted proxy where one hop was plain', arrived('10.0.0.1', { 'x-forwarded-proto': 'https, http' }), false],
])('a request %s: https is %s', (_what, request, https) => {
  expect(arrivedOverHttps(request, proxies)).toBe(https);
});
