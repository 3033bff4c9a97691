import { SignJWT, generateKeyPair } from 'jose';
import { createHmac } from 'node:crypto';
import { connect } from 'node:net';
import { META, modern, startRig, type Rig, type TokenWords } from './test/rig.http.js';
import { sendRaw, type Got, type Sent } from './test/wire.http.js';

/** What a row sends. `bearer` is put into Authorization unless the row brings its own header. */
type Row = Omit<Sent, 'headers'> & {
  readonly headers?: Sent['headers'];
  readonly bearer?: TokenWords | string | null;
};
/** HTTP status, JSON-RPC code (null: a tool result with isError), and the code in error.data or _meta. */
type Expected = readonly [http: number, rpc: number | null, code: string];

let rig: Rig;
let before: Record<string, number>;
let agents = 0;
beforeAll(async () => {
  rig = await startRig();
  before = await rig.rows();
}, 60_000);
afterAll(() => rig.close());

const JSON_TYPE = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
const ALL = 'customer:read customer:write customer:delete customer:list ticket:read ticket:create account:calculate';
const seconds = () => Math.floor(Date.now() / 1000);

const message = (made: ReturnType<typeof modern>): Row => ({ headers: made.headers, body: JSON.stringify(made.body) });
const ticket = (words: Record<string, unknown>): Row =>
  message(
    modern('tools/call', {
      name: 'create_support_ticket',
      arguments: { customer_id: '12345', subject: 's', description: 'd', ...words },
    }),
  );
const lookup = (id: string): Row =>
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

async function send({ bearer = { scope: ALL }, headers = {}, ...row }: Row): Promise<Got> {
  // a principal per row, so that no row meets the limits or the denials of another
  const token =
    typeof bearer === 'object' && bearer ? await rig.token({ client: `agent-${++agents}`, ...bearer }) : bearer;
  return sendRaw(rig.mcp, {
    ...row,
    headers: { ...JSON_TYPE, ...(token && { authorization: `Bearer ${token}` }), ...headers },
  });
}

const BODIES: Record<string, [Row, Expected]> = {
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
  'a subscription': [message(modern('subscriptions/listen', { notifications: {} })), [404, -32601, 'method_unknown']],
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

const HEADERS: Record<string, [Row, Expected]> = {
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
  'a foreign Origin': [withHeaders({ origin: 'https://evil.example' }), [403, 40302, 'origin_forbidden']],
  'the Origin null': [withHeaders({ origin: 'null' }), [403, 40302, 'origin_forbidden']],
  'a foreign Host': [withHeaders({ host: 'evil.example' }), [403, 40302, 'origin_forbidden']],
  'a Host that begins like ours': [withHeaders({ host: '127.0.0.1.evil.example' }), [403, 40302, 'origin_forbidden']],
  GET: [{ method: 'GET' }, [405, 40500, 'http_method_unsupported']],
  DELETE: [{ method: 'DELETE' }, [405, 40500, 'http_method_unsupported']],
  PUT: [{ ...lookup('12345'), method: 'PUT' }, [405, 40500, 'http_method_unsupported']],
};

const TOKENS: Record<string, [Row, Expected]> = {
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
    { ...lookup('12345'), bearer: { scope: ALL, claims: { cnf: { jkt: 'x' } } } },
    [401, 40101, 'dpop_invalid'],
  ],
  'the DPoP scheme': [withHeaders({ authorization: 'DPoP abc' }), [401, 40101, 'dpop_invalid']],
};

/** Fills in what only the running server knows. */
function resolved(row: Row): Row {
  const bearer = row.bearer;
  if (typeof bearer !== 'object' || !bearer?.claims?.aud) return row;
  const known: Record<string, string> = { MCP: rig.mcp, ADMIN: `${rig.url}/admin` };
  const aud = [bearer.claims.aud].flat().map((one) => known[one] ?? one);
  return { ...row, bearer: { ...bearer, claims: { ...bearer.claims, aud: aud.length > 1 ? aud : aud[0]! } } };
}

function codesOf({ status, text }: Got): Expected {
  const { error, result } = JSON.parse(text) as {
    error?: { code: number; data: { code: string } };
    result?: { isError: boolean; _meta: { 'portcullis/refusal': { code: string } } };
  };
  return error
    ? [status, error.code, error.data.code]
    : [status, result?.isError ? null : NaN, result?._meta['portcullis/refusal'].code ?? 'allowed'];
}

/** Sends a row and checks everything that holds for every refusal. */
async function refuse(row: Row, expected: Expected): Promise<Got> {
  const events = rig.events.all.length;
  const got = await send(resolved(row));
  expect(codesOf(got)).toEqual(expected);
  expect(got.headers['content-type']).toBe('application/json');
  expect(got.headers['x-correlation-id']).toMatch(/^[0-9a-f-]{36}$/);
  expect(got.text).toContain(String(got.headers['x-correlation-id']));
  expect(got.text).not.toMatch(/^\s*at |<html|node_modules|\.ts:\d|\.js:\d/im);
  expect(rig.events.all.length).toBe(events + 1);
  expect(rig.events.lastCall()).toMatchObject({ outcome: expected[2], http: expected[0] });
  if (expected[0] === 401) {
    expect(got.headers['www-authenticate']).toContain(
      `resource_metadata="${rig.url}/.well-known/oauth-protected-resource/mcp"`,
    );
    expect(got.headers['www-authenticate']).toContain('scope="customer:read ticket:read account:calculate"');
    expect(rig.events.lastCall().clientId).toBeUndefined();
  } else expect(got.headers['www-authenticate']).toBeUndefined();
  return got;
}

describe('bad input', () => {
  it.each(Object.entries({ ...BODIES, ...HEADERS, ...TOKENS }))(
    '%s is refused as the table says',
    async (_name, [row, expected]) => {
      await refuse(row, expected);
    },
  );

  it('tells a request without credentials no error code (RFC 6750 §3)', async () => {
    const got = await refuse({ ...lookup('12345'), bearer: null }, [401, 40100, 'token_missing']);
    expect(got.headers['www-authenticate']).not.toContain('error=');
  });

  it('refuses a token of algorithm none', async () => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const claims = JSON.parse(Buffer.from((await rig.token({ scope: ALL })).split('.')[1]!, 'base64url').toString());
    for (const signature of ['', 'x']) {
      const bearer = `${part({ alg: 'none', typ: 'at+jwt', kid: 'test-key' })}.${part(claims)}.${signature}`;
      await refuse({ ...lookup('12345'), bearer }, [401, 40100, 'token_invalid']);
    }
  });

  it('refuses a token that is signed with HS256 and the public key', async () => {
    const [, claims] = (await rig.token({ scope: ALL })).split('.');
    const head = Buffer.from(JSON.stringify({ alg: 'HS256', typ: 'at+jwt', kid: 'test-key' })).toString('base64url');
    for (const secret of [JSON.stringify(rig.issuer.jwk), String(rig.issuer.jwk.x)]) {
      const mac = createHmac('sha256', secret).update(`${head}.${claims}`).digest('base64url');
      await refuse({ ...lookup('12345'), bearer: `${head}.${claims}.${mac}` }, [401, 40100, 'token_invalid']);
    }
  });

  it('refuses a token that another key signed under our kid', async () => {
    const { privateKey } = await generateKeyPair('ES256');
    const claims = JSON.parse(Buffer.from((await rig.token({ scope: ALL })).split('.')[1]!, 'base64url').toString());
    const bearer = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'test-key' })
      .sign(privateKey);
    await refuse({ ...lookup('12345'), bearer }, [401, 40100, 'token_invalid']);
  });

  it('refuses two Authorization headers, also when both are good', async () => {
    const token = `Bearer ${await rig.token({ scope: ALL })}`;
    const row = lookup('12345');
    await refuse({ ...row, bearer: null, headers: { ...row.headers, authorization: [token, token] } }, [
      401,
      40100,
      'token_invalid',
    ]);
  });

  it('does not look for a token in the query', async () => {
    const { headers = {}, body } = lookup('12345');
    const url = `${rig.mcp}?access_token=${await rig.token({ scope: ALL })}`;
    const got = await sendRaw(url, { headers: { ...JSON_TYPE, ...headers }, ...(body !== undefined && { body }) });
    expect(codesOf(got)).toEqual([401, 40100, 'token_missing']);
  });

  it('lets a client that sends 5 MB through fetch read its 413, every time', async () => {
    const authorization = `Bearer ${await rig.token()}`;
    for (let i = 0; i < 10; i++) {
      const body = 'a'.repeat(5 * 1024 * 1024);
      const got = await rig.raw({ method: 'POST', headers: { ...JSON_TYPE, authorization }, body });
      expect([got.status, got.json.error.code]).toEqual([413, 41300]);
    }
  });

  it('records a request whose client goes away in the middle of its body', async () => {
    const events = rig.events.all.length;
    const { port } = new URL(rig.mcp);
    const socket = connect(Number(port), '127.0.0.1');
    const head = [
      'POST /mcp HTTP/1.1',
      `Host: 127.0.0.1:${port}`,
      `Authorization: Bearer ${await rig.token()}`,
      'Content-Type: application/json',
      'Content-Length: 1000',
    ];
    socket.write(`${head.join('\r\n')}\r\n\r\n{"jsonrpc"`);
    await new Promise((resolve) => setTimeout(resolve, 100));
    socket.destroy();
    while (rig.events.all.length === events) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(rig.events.lastCall()).toMatchObject({ outcome: 'request_invalid', clientId: 'agent', denial: false });
  });

  it('counts an unknown tool as a denial, and nothing else here', () => {
    const denials = new Set(
      rig.events
        .calls()
        .filter(({ denial }) => denial)
        .map(({ outcome }) => outcome),
    );
    expect([...denials]).toEqual(['tool_unknown']);
  });

  it('has written nothing, and the server still answers', async () => {
    expect(await rig.rows()).toEqual(before);
    const good = await rig.post(
      modern('tools/call', { name: 'get_customer_info', arguments: { customer_id: '12345' } }),
    );
    expect([good.status, good.json.result.structuredContent.customer_id]).toEqual([200, '12345']);
  });
});
