import { targetUri } from './target-uri.js';

const ONE = 'https://mcp.example/a/mcp';

test.each([
  ['itself', ONE],
  ['scheme and host in capitals', 'HTTPS://MCP.Example/a/mcp'],
  ['the default port', 'https://mcp.example:443/a/mcp'],
  ['a query', `${ONE}?x=1`],
  ['a fragment', `${ONE}#x`],
  ['dot segments', 'https://mcp.example/b/../a/./mcp'],
  ['dot segments that are encoded', 'https://mcp.example/b/%2E%2e/a/mcp'],
  ['letters that need no encoding', 'https://mcp.example/%61/mc%70'],
])('%s is the same target (RFC 3986 §6.2.2, §6.2.3)', (_what, uri) => expect(targetUri(uri)).toBe(ONE));

test.each([
  ['another scheme', 'http://mcp.example/a/mcp'],
  ['another host', 'https://mcp.example.evil/a/mcp'],
  ['another port', 'https://mcp.example:444/a/mcp'],
  ['another path', 'https://mcp.example/a/mcp2'],
  ['a trailing slash', 'https://mcp.example/a/mcp/'],
  ['capitals in the path', 'https://mcp.example/A/mcp'],
  ['an encoded slash', 'https://mcp.example/a%2Fmcp'],
])('%s is another target', (_what, uri) => {
  expect(targetUri(uri)).toBeDefined();
  expect(targetUri(uri)).not.toBe(ONE);
});

test('an encoded slash is the same in both cases of its hex digits', () => {
  expect(targetUri('https://mcp.example/a%2fb')).toBe('https://mcp.example/a%2Fb');
});

test.each([
  ['a user', 'https://u:p@mcp.example/a/mcp'],
  ['a backslash', 'https://mcp.example\\a\\mcp'],
  ['a space before it', ` ${ONE}`],
  ['a tab inside', 'https://mcp.exa\tmple/a/mcp'],
  ['a broken escape', `${ONE}%4`],
  ['no scheme', '//mcp.example/a/mcp'],
  ['another protocol', 'ftp://mcp.example/a/mcp'],
  ['a name beyond ASCII', 'https://mcp.exámple/a/mcp'],
  ['a port that is none', 'https://mcp.example:99999/a/mcp'],
  ['2,049 characters', `${ONE}?${'x'.repeat(2049 - ONE.length - 1)}`],
  ['nothing', ''],
])('what has %s is no target at all', (_what, uri) => expect(targetUri(uri)).toBeUndefined());
