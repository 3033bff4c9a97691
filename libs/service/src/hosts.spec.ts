import { hostAllowed, hostsOf } from './hosts.js';

test.each([
  ['127.0.0.1:4401', ['127.0.0.1:4401'], true],
  ['127.0.0.1:4402', ['127.0.0.1:4401'], false],
  ['127.0.0.1:4402', ['127.0.0.1'], true],
  ['GATE.example', ['gate.example'], true],
  ['gate.example.evil.example', ['gate.example'], false],
  ['gate.example:443', ['gate.example'], true],
  ['[::1]:4401', ['[::1]'], true],
  ['[::1]', ['[::1]:4401'], false],
  ['', ['gate.example'], false],
  [undefined, ['gate.example'], false],
  ['gate.example', [], false],
])('Host %j against %j is %s', (host, hosts, allowed) => {
  expect(hostAllowed(host, hosts)).toBe(allowed);
});

test('a URL is asked under its host with the port, and without it where that is the default one', () => {
  expect(hostsOf('http://127.0.0.1:4401/mcp')).toEqual(['127.0.0.1:4401']);
  expect(hostsOf('https://gate.example', 'http://[::1]')).toEqual([
    'gate.example:443',
    'gate.example',
    '[::1]:80',
    '[::1]',
  ]);
});
