import { algorithmsInUse, parseTokenAlgorithms, SIGNING_ALGORITHMS, type TokenAlgorithms } from './algorithms.js';

test('exactly three algorithms sign, and none of them shares a secret', () => {
  expect(SIGNING_ALGORITHMS).toEqual(['ES256', 'RS256', 'EdDSA']);
});

test.each<[string, TokenAlgorithms, string[]]>([
  ['', {}, ['ES256']],
  ['mcp=RS256', { mcp: 'RS256' }, ['ES256', 'RS256']],
  [' mcp=EdDSA,analytics=EdDSA ', { mcp: 'EdDSA', analytics: 'EdDSA' }, ['ES256', 'EdDSA']],
  ['mcp=ES256 rateLimiter=RS256', { mcp: 'ES256', rateLimiter: 'RS256' }, ['ES256', 'RS256']],
])('%j says who signs how', (text, algorithms, inUse) => {
  expect(parseTokenAlgorithms(text)).toEqual(algorithms);
  expect(algorithmsInUse(algorithms)).toEqual(inUse);
});

test.each([
  ['mcp', /one of ES256/],
  ['mcp=', /one of ES256/],
  ['mcp=none', /one of ES256/],
  ['mcp=HS256', /one of ES256/],
  ['mcp=ES256K', /one of ES256/],
  ['mcp=rs256', /one of ES256/],
  ['mcp=RS256=x', /one of ES256/],
  ['mcp=RS256 mcp=EdDSA', /mcp twice/],
  ['constructor=RS256', /none of mcp/],
  ['=RS256', /none of mcp/],
])('%j is refused in words that name what is wrong', (text, says) => {
  expect(parseTokenAlgorithms(text)).toMatch(says);
});
