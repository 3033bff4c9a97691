import { mcpNameAgrees } from './mcp-name.js';

test.each([
  ['get_customer_info', true],
  [' \tget_customer_info\t ', true],
  ['get customer info', false],
  ['', false],
  [`get_customer_info${' '.repeat(30_000)}x`, false],
])('blanks around a name do not count, blanks in it do: %j', (header, agrees) => {
  expect(mcpNameAgrees('get_customer_info', header)).toBe(agrees);
});
