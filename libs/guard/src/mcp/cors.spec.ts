import { preflightAnswer } from './cors.js';

const allowed = (asked?: string): string[] =>
  preflightAnswer(asked).headers['Access-Control-Allow-Headers']!.split(', ');
const always = allowed();

test('a page may send what every request of MCP carries, and its proof', () => {
  expect(always).toEqual(
    expect.arrayContaining(['authorization', 'content-type', 'mcp-protocol-version', 'mcp-method', 'mcp-name', 'dpop']),
  );
  expect(preflightAnswer(undefined)).toMatchObject({ status: 204, body: undefined });
});

test('the mirrored arguments that it names it may send too', () => {
  expect(allowed('authorization, Mcp-Param-Region,mcp-param-x, mcp-param-region')).toEqual([
    ...always,
    'mcp-param-region',
    'mcp-param-x',
  ]);
});

test.each([
  'x-evil',
  'mcp-param-',
  'mcp-param',
  'x-mcp-param-a',
  'mcp-param-a b',
  'mcp-param-a\r\nset-cookie: a',
  'mcp-param-ü',
  'mcp-param-a:b',
  '*',
  `mcp-param-${'x'.repeat(65)}`,
  Array.from({ length: 300 }, (_, i) => `mcp-param-${i}`).join(),
])('what is no such name is not repeated: %.40j', (asked) => {
  expect(allowed(asked)).toEqual(always);
});

test('it names 32 of them at most', () => {
  expect(allowed(Array.from({ length: 40 }, (_, i) => `mcp-param-${i}`).join())).toHaveLength(always.length + 32);
});
