import { neighbourhood, servedHosts } from './origins.js';

const at = (resource: string, hosts: string[], origins: string[], loopback: boolean) =>
  neighbourhood({ resource, names: servedHosts(resource, hosts, loopback), origins, loopback });
const hardened = at('https://gate.example/mcp', ['gate.internal:8443'], ['https://console.example'], false);
const embedded = at('http://127.0.0.1:4401/mcp', [], [], true);

it.each(['gate.example', 'GATE.example', 'gate.example:443', 'gate.internal:8443'])(
  'a hardened server answers to %s',
  (host) => {
    expect(hardened.hostAllowed(host)).toBe(true);
  },
);

it.each([
  undefined,
  '',
  'gate.internal',
  'evil.example',
  'gate.example.evil.example',
  'gate.example@evil.example',
  '127.0.0.1',
  'localhost',
])('a hardened server does not answer to %s', (host) => {
  expect(hardened.hostAllowed(host)).toBe(false);
});

it.each(['127.0.0.1:4401', 'localhost:4401', '[::1]:9', '127.0.0.1'])('an embedded server answers to %s', (host) => {
  expect(embedded.hostAllowed(host)).toBe(true);
});

it.each([undefined, 'https://gate.example', 'https://console.example'])(
  'a hardened server is called by pages of %s',
  (origin) => {
    expect(hardened.originAllowed(origin)).toBe(true);
  },
);

it.each([
  'null',
  '',
  'http://gate.example',
  'https://gate.example:8443',
  'https://gate.example/',
  'https://evil.example',
  'http://localhost',
  'file://',
  'https://a@gate.example',
  'moz-extension://x',
])('a hardened server is not called by pages of %s', (origin) => {
  expect(hardened.originAllowed(origin)).toBe(false);
});

it('an embedded server is called by pages of this machine on any port, and by no others', () => {
  expect(
    ['http://localhost:6274', 'http://127.0.0.1:1', 'http://[::1]:1', 'http://localhost.evil.example', 'null'].map(
      embedded.originAllowed,
    ),
  ).toEqual([true, true, true, false, false]);
});
