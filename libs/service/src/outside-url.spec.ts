import { outsideProblem, outsideUrl, OUTSIDE_RULES, parseAllowedHost } from './outside-url.js';

test.each([
  ['https://keys.example/jwks', 'keys.example', 443],
  ['https://Keys.EXAMPLE/jwks?a=b', 'keys.example', 443],
  ['https://keys.example:443/', 'keys.example', 443],
  ['https://keys.example', 'keys.example', 443],
  ['https://xn--mnchen-3ya.example/', 'xn--mnchen-3ya.example', 443],
  ['https://8.8.8.8/', '8.8.8.8', 443],
  ['https://[2606:4700:4700::1111]/', '[2606:4700:4700::1111]', 443],
])('%s may be asked', (text, hostname, port) => {
  expect(outsideUrl(text)).toMatchObject({ hostname, port });
  expect(outsideProblem(text)).toBeUndefined();
});

test.each([
  ['no URL', 'keys', 'url'],
  ['a relative one', '/jwks', 'url'],
  ['one of 2001 characters', `https://keys.example/${'x'.repeat(1980)}`, 'url'],
  ['a blank', 'https://keys.example/a b', 'url'],
  ['a tab, which parsers drop', 'https://127.0\t.0.1/', 'url'],
  ['a line end', 'https://keys.example/\r\nHost: x', 'url'],
  ['a NUL', 'https://keys.example\0.evil.example/', 'url'],
  ['a backslash, which parsers turn', 'https://keys.example\\@127.0.0.1/', 'url'],
  ['digits of another script', 'https://１２７.0.0.1/', 'url'],
  ['a dot of another script', 'https://127。0。0。1/', 'url'],
  ['letters that look alike', 'https://kеys.example/', 'url'],
  ['http', 'http://keys.example/', 'scheme'],
  ['a file', 'file:///etc/passwd', 'scheme'],
  ['data', 'data:application/json,{}', 'scheme'],
  ['ftp', 'ftp://keys.example/', 'scheme'],
  ['gopher', 'gopher://127.0.0.1:6379/_x', 'scheme'],
  ['a user name', 'https://sam@keys.example/', 'userinfo'],
  ['a user name and a password', 'https://sam:x@127.0.0.1/', 'userinfo'],
  ['an empty user name', 'https://@keys.example/', 'userinfo'],
  ['a fragment', 'https://keys.example/#x', 'fragment'],
  ['an empty fragment', 'https://keys.example/#', 'fragment'],
  ['no slashes', 'https:keys.example/', 'hostname'],
  ['one slash', 'https:/keys.example/', 'hostname'],
  ['three slashes', 'https:///keys.example/', 'hostname'],
  ['no host', 'https://', 'hostname'],
  ['a percent-encoded host', 'https://%31%32%37.0.0.1/', 'hostname'],
  ['loopback', 'https://127.0.0.1/', 'hostname'],
  ['loopback as one number', 'https://2130706433/', 'hostname'],
  ['loopback in octal', 'https://0177.0.0.1/', 'hostname'],
  ['loopback in hexadecimal', 'https://0x7f.0.0.1/', 'hostname'],
  ['loopback as one hexadecimal number', 'https://0x7f000001/', 'hostname'],
  ['loopback, short', 'https://127.1/', 'hostname'],
  ['loopback with a dot at its end', 'https://127.0.0.1./', 'hostname'],
  ['this host', 'https://0/', 'hostname'],
  ['the metadata service of clouds', 'https://169.254.169.254/latest/meta-data/', 'hostname'],
  ['the same as one number', 'https://2852039166/', 'hostname'],
  ['a private address', 'https://10.0.0.1/', 'hostname'],
  ['loopback in IPv6', 'https://[::1]/', 'hostname'],
  ['loopback in IPv6, long', 'https://[0:0:0:0:0:0:0:1]/', 'hostname'],
  ['IPv4-mapped loopback', 'https://[::ffff:127.0.0.1]/', 'hostname'],
  ['IPv4-mapped loopback in hexadecimal', 'https://[::ffff:7f00:1]/', 'hostname'],
  ['NAT64 of a private address', 'https://[64:ff9b::10.0.0.1]/', 'hostname'],
  ['6to4 of loopback', 'https://[2002:7f00:1::1]/', 'hostname'],
  ['a link-local address with its zone', 'https://[fe80::1%25eth0]/', 'hostname'],
  ['an address of the private network of a cloud', 'https://[fd00:ec2::254]/', 'hostname'],
  ['a name of one label', 'https://redis/', 'hostname'],
  ['localhost', 'https://localhost/', 'hostname'],
  ['a name below localhost', 'https://keys.localhost/', 'hostname'],
  ['a dot at the end', 'https://keys.example./', 'hostname'],
  ['localhost with a dot at its end', 'https://localhost./', 'hostname'],
  ['a name of the local network', 'https://printer.local/', 'hostname'],
  ['a name of a cloud', 'https://metadata.google.internal/', 'hostname'],
  ['a reverse name', 'https://1.0.0.127.in-addr.arpa/', 'hostname'],
  ['a hidden service', 'https://keys.onion/', 'hostname'],
  ['a label of 64 characters', `https://${'x'.repeat(64)}.example/`, 'hostname'],
  ['an empty label', 'https://keys..example/', 'hostname'],
  ['a wildcard', 'https://*.example/', 'hostname'],
  ['another port', 'https://keys.example:8443/', 'port'],
  ['the port of http', 'https://keys.example:80/', 'port'],
  ['port 0', 'https://keys.example:0/', 'port'],
] as const)('%s is refused: %j', (_says, text, rule) => {
  expect(outsideUrl(text)).toBe(rule);
  expect(outsideProblem(text)).toBe(OUTSIDE_RULES[rule]);
});

describe('a list of hosts', () => {
  const allowed = ['keys.example', 'keys.example:8443', '*.partner.example', '*.partner.example:444'].map(
    parseAllowedHost,
  );
  test.each([
    ['https://keys.example/', undefined],
    ['https://keys.example:8443/', undefined],
    ['https://a.partner.example/', undefined],
    ['https://a.b.partner.example:444/', undefined],
    ['https://keys.example:8444/', 'port'],
    ['https://partner.example/', 'host_not_allowed'],
    ['https://notpartner.example/', 'host_not_allowed'],
    ['https://evilpartner.example/', 'host_not_allowed'],
    ['https://keys.example.evil.example/', 'host_not_allowed'],
    ['https://a.keys.example/', 'host_not_allowed'],
    ['https://8.8.8.8/', 'host_not_allowed'],
    ['https://127.0.0.1/', 'hostname'],
  ] as const)('lets %s through or says why not: %s', (text, rule) => {
    const said = outsideUrl(text, allowed);
    expect(typeof said === 'string' ? said : undefined).toBe(rule);
  });

  test.each([
    '',
    '*',
    '*.',
    'localhost',
    'keys.example:0',
    'keys.example:65536',
    '*.*.example',
    'https://keys.example',
    '10.0.0.1/8',
  ])('%j is no entry of it', (text) => expect(() => parseAllowedHost(text)).toThrow(RangeError));

  test('opens no door inside: an address of ours stays refused though it is named', () => {
    expect(outsideUrl('https://127.0.0.1:8443/', [parseAllowedHost('127.0.0.1:8443')])).toBe('hostname');
    expect(outsideUrl('https://db.internal/', [parseAllowedHost('db.internal')])).toBe('hostname');
  });
});
