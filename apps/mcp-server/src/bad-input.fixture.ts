import { META, modern, type TokenWords } from './rig.fixture.js';
import type { Sent } from './raw-request.fixture.js';

/** What a row sends. `bearer` is put into Authorization unless the row brings its own header. */
export type Row = Omit<Sent, 'headers'> & {
  readonly headers?: Sent['headers'];
  readonly bearer?: TokenWords | string | null;
};
/** HTTP status, JSON-RPC code (null: a tool result with isError), and the code in error.data or _meta. */
export type Expected = readonly [http: number, rpc: number | null, code: string];

export const JSON_TYPE = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
export const ALL =
  'customer:read customer:write customer:delete customer:list ticket:read ticket:create account:calculate';
const seconds = () => Math.floor(Date.now() / 1000);

const message = (made: ReturnType<typeof modern>): Row => ({ headers: made.headers, body: JSON.stringify(made.body) });
const ticket = (words: Record<string, unknown>): Row =>
  message(
    modern('tools/call', {
      name: 'create_support_ticket',
      arguments: { customer_id: '12345', subject: 's', description: 'd', ...words },
    }),
  );
export const lookup = (id: string): Row =>
  message(modern('tools/call', { name: 'get_customer_info', arguments: { customer_id: id } }));
/** A good call in which one piece of text is replaced. */
const spoilt = (from: string, to: string): Row => {
  const { headers, body } = ticket({});
  return { headers: headers!, body: String(body).replace(from, to) };
};
const withHeaders = (headers: Record<string, string | undefined>, row: Row = lookup('12345')): Row => ({
  ...row,
  headers: Object.fromEntries(
    Object.entries({ ...row.headers, ...headers }).filter((entry): entry is [string, string] => entry[1] !== undefined),
  ),
});
const withMeta = (meta: Record<string, unknown>): Row => {
  const { headers, body } = modern('tools/list');
  return { headers, body: JSON.stringify({ ...body, params: { _meta: meta } }) };
};
const bytes = (...parts: (string | number[])[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))));

export const BODIES: Record<string, [Row, Expected]> = {
  'malformed JSON': [{ body: '{"jsonrpc":"2.0",' }, [400, -32700, 'json_malformed']],
  'an empty body': [{ body: '' }, [400, -32700, 'json_malformed']],
  'a byte order mark': [
    { body: `\ufeff${JSON.stringify(modern('tools/list').body)}` },
    [400, -32700, 'json_malformed'],
  ],
  'a form': [
    { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'a=1' },
    [415, 41500, 'media_type_unsupported'],
  ],
  'plain text': [withHeaders({ 'content-type': 'text/plain' }), [415, 41500, 'media_type_unsupported']],
  'no content type': [withHeaders({ 'content-type': '' }), [415, 41500, 'media_type_unsupported']],
  'a compressed body': [withHeaders({ 'content-encoding': 'gzip' }), [415, 41500, 'media_type_unsupported']],
  'a JSON-RPC array': [{ body: JSON.stringify([modern('tools/list').body]) }, [400, 40001, 'batch_unsupported']],
  'an array of one old call': [
    {
      body: JSON.stringify([
        {
          jsonrpc: '2.0',
          id: 1,
          method: 'tools/call',
          params: { name: 'delete_customer', arguments: { customer_id: '12345' } },
        },
      ]),
    },
    [400, 40001, 'batch_unsupported'],
  ],
  'an empty array': [{ body: '[]' }, [400, 40001, 'batch_unsupported']],
  'a bare value': [{ body: '42' }, [400, -32600, 'request_invalid']],
  'an object that is no message': [{ body: '{}' }, [400, -32600, 'request_invalid']],
  'another version of JSON-RPC': [
    { body: '{"jsonrpc":"1.0","id":1,"method":"ping"}' },
    [400, -32600, 'request_invalid'],
  ],
  'an id that is an object': [{ body: '{"jsonrpc":"2.0","id":{},"method":"ping"}' }, [400, -32600, 'request_invalid']],
  'an id without end': [
    { body: JSON.stringify({ jsonrpc: '2.0', id: 'x'.repeat(300), method: 'ping' }) },
    [400, -32600, 'request_invalid'],
  ],
  'a response nobody asked for': [{ body: '{"jsonrpc":"2.0","id":1,"result":{}}' }, [400, -32600, 'request_invalid']],
  'an unknown method': [message(modern('customers/dump')), [404, -32601, 'method_unknown']],
  'a method named like a property of objects': [message(modern('constructor')), [404, -32601, 'method_unknown']],
  'a subscription to nothing': [message(modern('subscriptions/listen')), [400, -32602, 'params_invalid']],
  'an unknown method of an older revision': [
    { headers: { 'mcp-protocol-version': '2025-11-25' }, body: '{"jsonrpc":"2.0","id":1,"method":"customers/dump"}' },
    [200, -32601, 'method_unknown'],
  ],
  'an unknown tool': [
    message(modern('tools/call', { name: 'drop_tables', arguments: {} })),
    [200, -32602, 'tool_unknown'],
  ],
  'a tool named like a property of objects': [
    message(modern('tools/call', { name: '__proto__', arguments: {} })),
    [200, -32602, 'tool_unknown'],
  ],
  'a tool without a name': [message(modern('tools/call', { arguments: {} })), [400, -32602, 'params_invalid']],
  'arguments that are an array': [
    message(modern('tools/call', { name: 'get_customer_info', arguments: ['12345'] })),
    [400, -32602, 'params_invalid'],
  ],
  'a cursor that is no text': [message(modern('tools/list', { cursor: 7 })), [400, -32602, 'params_invalid']],
  'an old handshake without its parameters': [
    { body: '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}' },
    [200, -32602, 'params_invalid'],
  ],
  'a resource that is none': [
    message(modern('resources/read', { uri: 'file:///etc/passwd' })),
    [200, -32602, 'resource_unknown'],
  ],
  'a resource with a trick in its id': [
    message(modern('resources/read', { uri: 'customer://12345/../67890' })),
    [200, -32602, 'resource_unknown'],
  ],
  '5 MB with their length said': [{ body: Buffer.alloc(5 * 1024 * 1024, 'a') }, [413, 41300, 'body_too_large']],
  '5 MB in chunks': [{ body: Buffer.alloc(5 * 1024 * 1024, 'a'), chunked: true }, [413, 41300, 'body_too_large']],
  '200 levels deep': [{ body: '['.repeat(200) + ']'.repeat(200) }, [400, -32700, 'json_malformed']],
  '200 levels deep inside the arguments': [
    spoilt('"s"', '{"a":'.repeat(200) + '1' + '}'.repeat(200)),
    [400, -32700, 'json_malformed'],
  ],
  'a million brackets': [{ body: '['.repeat(1_000_000) }, [400, -32700, 'json_malformed']],
  'more keys than anyone needs': [
    { body: `{${Array.from({ length: 20_000 }, (_, i) => `"k${i}":0`).join(',')}}` },
    [400, -32700, 'json_malformed'],
  ],
  'the key __proto__': [
    spoilt('"customer_id"', '"__proto__":{"customer_id":"12345"},"customer_id"'),
    [400, -32700, 'json_malformed'],
  ],
  'the key __proto__, escaped': [
    spoilt('"customer_id"', '"\\u005f_proto__":{},"customer_id"'),
    [400, -32700, 'json_malformed'],
  ],
  'equal keys': [spoilt('"customer_id"', '"customer_id":"67890","customer_id"'), [400, -32700, 'json_malformed']],
  'the key constructor': [ticket({ constructor: { prototype: {} } }), [200, null, 'input_invalid']],
  'a NUL byte': [
    { ...lookup('x'), body: bytes('{"jsonrpc":"2.0","id":1,"method":"pi', [0], 'ng"}') },
    [400, -32700, 'json_malformed'],
  ],
  'an escaped NUL in an id': [lookup('12345\0'), [200, null, 'input_invalid']],
  'an escaped NUL in a text': [ticket({ description: 'a\0b' }), [200, null, 'input_invalid']],
  'half a surrogate pair': [ticket({ subject: 'a\ud800b' }), [200, null, 'input_invalid']],
  'half a surrogate pair as bytes': [
    { ...lookup('x'), body: bytes('{"jsonrpc":"2.0","id":"', [0xed, 0xa0, 0x80], '","method":"ping"}') },
    [400, -32700, 'json_malformed'],
  ],
  'Latin-1': [
    { ...lookup('x'), body: bytes('{"jsonrpc":"2.0","id":"', [0xe9], '","method":"ping"}') },
    [400, -32700, 'json_malformed'],
  ],
  'SQL in an id': [lookup("'; DROP TABLE customers; --"), [200, null, 'input_invalid']],
  'an argument too many': [ticket({ tenant: 'other' }), [200, null, 'input_invalid']],
  'a number beyond all numbers': [
    {
      ...message(modern('tools/call', { name: 'calculate_account_value', arguments: { purchases: [1] } })),
      body: JSON.stringify(
        modern('tools/call', { name: 'calculate_account_value', arguments: { purchases: ['X'] } }).body,
      ).replace('"X"', '1e999'),
    },
    [200, null, 'input_invalid'],
  ],
};

export const HEADERS: Record<string, [Row, Expected]> = {
  'no MCP-Protocol-Version': [withHeaders({ 'mcp-protocol-version': undefined }), [400, -32020, 'header_mismatch']],
  'another MCP-Protocol-Version': [
    withHeaders({ 'mcp-protocol-version': '2025-11-25' }),
    [400, -32020, 'header_mismatch'],
  ],
  'no Mcp-Method': [withHeaders({ 'mcp-method': undefined }), [400, -32020, 'header_mismatch']],
  'another Mcp-Method': [withHeaders({ 'mcp-method': 'tools/list' }), [400, -32020, 'header_mismatch']],
  'no Mcp-Name': [withHeaders({ 'mcp-name': undefined }), [400, -32020, 'header_mismatch']],
  'another Mcp-Name': [withHeaders({ 'mcp-name': 'get_support_ticket' }), [400, -32020, 'header_mismatch']],
  'an Mcp-Name that is no Base64': [withHeaders({ 'mcp-name': '=?base64?!!?=' }), [400, -32020, 'header_mismatch']],
  'another Mcp-Name for a resource': [
    withHeaders({ 'mcp-name': 'customer://67890' }, message(modern('resources/read', { uri: 'customer://12345' }))),
    [400, -32020, 'header_mismatch'],
  ],
  'a revision we do not speak': [
    withHeaders(
      { 'mcp-protocol-version': '2099-01-01' },
      withMeta({ ...META, 'io.modelcontextprotocol/protocolVersion': '2099-01-01' }),
    ),
    [400, -32022, 'version_unsupported'],
  ],
  'an old revision we do not speak': [
    { headers: { 'mcp-protocol-version': '2024-11-05' }, body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}' },
    [400, -32022, 'version_unsupported'],
  ],
  'a version that is none': [
    { headers: { 'mcp-protocol-version': 'latest' }, body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}' },
    [400, -32022, 'version_unsupported'],
  ],
  'an older revision claimed in _meta': [
    withHeaders(
      { 'mcp-protocol-version': '2025-11-25' },
      withMeta({ ...META, 'io.modelcontextprotocol/protocolVersion': '2025-11-25' }),
    ),
    [400, -32022, 'version_unsupported'],
  ],
  'the new revision without _meta': [
    {
      headers: { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/list' },
      body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}',
    },
    [400, -32602, 'params_invalid'],
  ],
  '_meta without clientCapabilities': [
    withMeta({ 'io.modelcontextprotocol/protocolVersion': '2026-07-28' }),
    [400, -32602, 'params_invalid'],
  ],
  'an Expect that nobody knows, without a token': [
    { ...withHeaders({ expect: 'the-unexpected' }), bearer: null },
    [401, 40100, 'token_missing'],
  ],
  'a foreign Origin': [withHeaders({ origin: 'https://evil.example' }), [403, 40302, 'origin_forbidden']],
  'the Origin null': [withHeaders({ origin: 'null' }), [403, 40302, 'origin_forbidden']],
  'a foreign Host': [withHeaders({ host: 'evil.example' }), [403, 40302, 'origin_forbidden']],
  'a Host that begins like ours': [withHeaders({ host: '127.0.0.1.evil.example' }), [403, 40302, 'origin_forbidden']],
  GET: [{ method: 'GET' }, [405, 40500, 'http_method_unsupported']],
  DELETE: [{ method: 'DELETE' }, [405, 40500, 'http_method_unsupported']],
  PUT: [{ ...lookup('12345'), method: 'PUT' }, [405, 40500, 'http_method_unsupported']],
};

export const TOKENS: Record<string, [Row, Expected]> = {
  'tools/list without a token': [{ ...message(modern('tools/list')), bearer: null }, [401, 40100, 'token_missing']],
  'resources/read without a token': [
    { ...message(modern('resources/read', { uri: 'customer://12345' })), bearer: null },
    [401, 40100, 'token_missing'],
  ],
  'malformed JSON without a token': [{ body: '{', bearer: null }, [401, 40100, 'token_missing']],
  '5 MB without a token': [{ body: Buffer.alloc(5 * 1024 * 1024), bearer: null }, [401, 40100, 'token_missing']],
  'a token that is none': [{ ...lookup('12345'), bearer: 'abc.def.ghi' }, [401, 40100, 'token_invalid']],
  'an empty bearer': [
    { ...lookup('12345'), bearer: '', headers: { ...lookup('12345').headers, authorization: 'Bearer ' } },
    [401, 40100, 'token_invalid'],
  ],
  'basic credentials': [withHeaders({ authorization: 'Basic YTpi' }), [401, 40100, 'token_invalid']],
  'an expired token': [
    { ...lookup('12345'), bearer: { scope: ALL, claims: { iat: seconds() - 1000, exp: seconds() - 100 } } },
    [401, 40100, 'token_invalid'],
  ],
  'a token without end': [
    { ...lookup('12345'), bearer: { scope: ALL, claims: { exp: undefined as never } } },
    [401, 40100, 'token_invalid'],
  ],
  'a token not yet valid': [
    { ...lookup('12345'), bearer: { scope: ALL, claims: { nbf: seconds() + 300 } } },
    [401, 40100, 'token_invalid'],
  ],
  'another issuer': [
    { ...lookup('12345'), bearer: { scope: ALL, claims: { iss: 'http://127.0.0.1:1' } } },
    [401, 40100, 'token_invalid'],
  ],
  'another audience': [
    { ...lookup('12345'), bearer: { scope: ALL, claims: { aud: 'https://other.example/mcp' } } },
    [401, 40100, 'token_invalid'],
  ],
  'two audiences': [
    { ...lookup('12345'), bearer: { scope: ALL, claims: { aud: ['https://other.example/mcp', 'MCP'] } } },
    [401, 40100, 'token_invalid'],
  ],
  'a token for the admin API': [
    { ...lookup('12345'), bearer: { scope: 'platform:admin', claims: { aud: 'ADMIN' } } },
    [401, 40100, 'token_invalid'],
  ],
  'an ID token': [
    { ...lookup('12345'), bearer: { scope: ALL, header: { typ: 'JWT' } } },
    [401, 40100, 'token_invalid'],
  ],
  'an unknown kid': [
    { ...lookup('12345'), bearer: { scope: ALL, header: { kid: 'nobody' } } },
    [401, 40100, 'token_invalid'],
  ],
  'a token without a ceiling': [
    { ...lookup('12345'), bearer: { scope: ALL, claims: { ceiling: undefined } } },
    [401, 40100, 'token_invalid'],
  ],
  'a tenant that is none': [
    { ...lookup('12345'), bearer: { scope: ALL, tenant: '../default' } },
    [401, 40100, 'token_invalid'],
  ],
  'a token bound to a key': [
    { ...lookup('12345'), bearer: { scope: ALL, claims: { cnf: { jkt: 'k'.repeat(43) } } } },
    [401, 40101, 'dpop_invalid'],
  ],
  'a token that is none under the DPoP scheme': [
    withHeaders({ authorization: 'DPoP abc' }),
    [401, 40100, 'token_invalid'],
  ],
};
