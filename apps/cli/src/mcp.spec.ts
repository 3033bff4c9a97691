import type { Reply } from './ask.js';
import { callAnswer, toolCall } from './mcp.js';

const reply = (status: number, body: unknown, headers: Record<string, string> = {}): Reply => ({
  status,
  header: (name) => ({ 'content-type': 'application/json', ...headers })[name],
  text: typeof body === 'string' ? body : JSON.stringify(body),
});
const result = { structuredContent: { total: 539 }, content: [], resultType: 'complete' };
const rpc = (more: object) => ({ jsonrpc: '2.0', id: 1, ...more });

test('headers and body of a call say the same, as MCP 2026-07-28 wants it', () => {
  const { headers, body } = toolCall('abc', 'get_customer_info', { customer_id: '12345' });
  const message = JSON.parse(body ?? '') as {
    method: string;
    params: { name: string; _meta: Record<string, unknown> };
  };
  expect(headers).toMatchObject({
    'mcp-protocol-version': message.params._meta['io.modelcontextprotocol/protocolVersion'],
    'mcp-method': message.method,
    'mcp-name': message.params.name,
    authorization: 'Bearer abc',
  });
  expect(message.params._meta).toHaveProperty(['io.modelcontextprotocol/clientCapabilities']);
});

test('a call without a token sends no Authorization header', () => {
  expect(toolCall(undefined, 'x', {}).headers).not.toHaveProperty('authorization');
});

test('a result is what the tool returned', () => {
  expect(callAnswer('t', reply(200, rpc({ result })))).toMatchObject({
    http: 200,
    refusal: undefined,
    output: { total: 539 },
  });
});

test('a result that came as an event stream is read the same', () => {
  const stream = `: hello\r\n\r\nevent: message\r\ndata: ${JSON.stringify(rpc({ result }))}\r\n\r\n`;
  const answer = callAnswer('t', reply(200, stream, { 'content-type': 'text/event-stream' }));
  expect(answer).toMatchObject({ refusal: undefined, output: { total: 539 } });
});

test('a refusal at the first door tells code, delay and the scopes asked for', () => {
  const error = { code: 40300, message: 'no', data: { code: 'scope_insufficient', scopes: ['a:b'] } };
  const challenge =
    'Bearer error="insufficient_scope", scope="customer:read customer:list", resource_metadata="http://x"';
  expect(callAnswer('t', reply(403, rpc({ error }), { 'www-authenticate': challenge }))).toMatchObject({
    http: 403,
    refusal: 'scope_insufficient',
    output: undefined,
    scopes: ['customer:read', 'customer:list'],
  });
  const limited = { code: 42900, message: 'no', data: { code: 'rate_limited' } };
  expect(callAnswer('t', reply(429, rpc({ error: limited }), { 'retry-after': '17' })).retryAfterSeconds).toBe(17);
});

test('a refused tool result tells the code of its refusal', () => {
  const refused = { isError: true, content: [], _meta: { 'portcullis/refusal': { code: 'input_invalid' } } };
  expect(callAnswer('t', reply(200, rpc({ result: refused })))).toMatchObject({
    refusal: 'input_invalid',
    output: undefined,
  });
});

test.each([
  ['HTML', '<html>'],
  ['nothing', ''],
  ['a result without content', rpc({ result: {} })],
  ['an error result without a code', rpc({ result: { isError: true, structuredContent: {} } })],
  ['an error without data', rpc({ error: { code: -32603, message: 'x' } })],
])('%s is never taken for an allowed call', (_, body) => {
  expect(callAnswer('t', reply(200, body))).toMatchObject({ refusal: 'unreadable_answer', output: undefined });
});
