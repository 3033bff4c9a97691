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
  ['gate.example', ['gate.example:'], true],
  ['gate.example:', ['gate.example:'], true],
  ['gate.example:444', ['gate.example:'], false],
  ['gate.example', ['gate.example:443'], false],
  ['user@gate.example', ['gate.example'], false],
  ['gate.example/x', ['gate.example'], false],
  ['gate.example, evil.example', ['gate.example'], false],
  ['', ['gate.example'], false],
  [undefined, ['gate.example'], false],
  ['gate.example', [], false],
])('Host %j against %j is %s', (host, hosts, allowed) => {
  expect(hostAllowed(host, hosts)).toBe(allowed);
});

test('a URL is asked under its host with the port, and without it where that is the default one', () => {
  const hosts = hostsOf('http://127.0.0.1:4401/mcp', 'https://gate.example', 'http://[::1]');
  const asked = ['127.0.0.1:4401', 'gate.example', 'gate.example:443', '[::1]', '[::1]:80'];
  const others = ['127.0.0.1', '127.0.0.1:80', 'gate.example:444', 'gate.example:80', '[::1]:443'];
  expect(asked.filter((host) => hostAllowed(host, hosts))).toEqual(asked);
  expect(others.filter((host) => hostAllowed(host, hosts))).toEqual([]);
});
