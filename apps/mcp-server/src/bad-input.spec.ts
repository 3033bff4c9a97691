import { SignJWT, generateKeyPair } from 'jose';
import { createHmac } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { modern, startRig, type Rig } from './rig.fixture.js';
import { ALL, BODIES, HEADERS, JSON_TYPE, lookup, TOKENS, type Expected, type Row } from './bad-input.fixture.js';
import { sendRaw, type Got } from './raw-request.fixture.js';

let rig: Rig;
let before: Record<string, number>;
let agents = 0;
beforeAll(async () => {
  rig = await startRig();
  before = await rig.rows();
}, 60_000);
afterAll(() => rig.close());

async function send({ bearer = { scope: ALL }, headers = {}, ...row }: Row): Promise<Got> {
  // a principal per row, so that no row meets the limits or the denials of another
  const token =
    typeof bearer === 'object' && bearer ? await rig.token({ client: `agent-${++agents}`, ...bearer }) : bearer;
  return sendRaw(rig.mcp, {
    ...row,
    headers: { ...JSON_TYPE, ...(token && { authorization: `Bearer ${token}` }), ...headers },
  });
}

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
    expect(got.headers['www-authenticate']).toContain(
      'scope="customer:read ticket:read account:calculate sentiment:analyze"',
    );
    expect(rig.events.lastCall().clientId).toBeUndefined();
  } else expect(got.headers['www-authenticate']).toBeUndefined();
  return got;
}

/** A connection on which a good head was sent that promises so many bytes of body. */
async function opened(length: number): Promise<Socket> {
  const { port } = new URL(rig.mcp);
  const socket = connect(Number(port), '127.0.0.1');
  const head = [
    'POST /mcp HTTP/1.1',
    `Host: 127.0.0.1:${port}`,
    `Authorization: Bearer ${await rig.token()}`,
    'Content-Type: application/json',
    `Content-Length: ${length}`,
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  return socket;
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

  it.each([
    ['the same', 'ours'],
    ['a foreign one', 'evil.example'],
  ])('answers nobody who says two Hosts, the second %s', async (_, second) => {
    const { host } = new URL(rig.mcp);
    const { headers = {}, ...row } = lookup('12345');
    const hosts = [host, second === 'ours' ? host : second];
    await refuse({ ...row, headers: { ...headers, host: hosts } }, [403, 40302, 'origin_forbidden']);
  });

  it('does not look for a token in the query', async () => {
    const { headers = {}, body } = lookup('12345');
    const url = `${rig.mcp}?access_token=${await rig.token({ scope: ALL })}`;
    const got = await sendRaw(url, { headers: { ...JSON_TYPE, ...headers }, ...(body !== undefined && { body }) });
    expect(codesOf(got)).toEqual([401, 40100, 'token_missing']);
  });

  it('lets a client that reads nothing before it has sent all of its 5 MB read its 413', async () => {
    const socket = await opened(5 * 1024 * 1024);
    await new Promise<void>((resolve, reject) =>
      socket.write(Buffer.alloc(5 * 1024 * 1024, 'a'), (error) => (error ? reject(error) : resolve())),
    );
    const answer = await new Promise<string>((resolve) => socket.once('data', (chunk) => resolve(chunk.toString())));
    expect(answer).toMatch(/^HTTP\/1\.1 413 [^]*"code":41300/);
    socket.destroy();
  });

  it('cuts off a client that never stops sending', async () => {
    const socket = await opened(1e12);
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    socket.on('error', () => {}).resume();
    const chunk = Buffer.alloc(1024 * 1024, 'a');
    // A write that failed is the end: the socket calls back before it says that it is destroyed, and would take the next.
    const pump = (failed?: Error | null): void => {
      if (!failed) socket.write(chunk, pump);
    };
    pump();
    await closed;
    expect(rig.events.lastCall()).toMatchObject({ outcome: 'body_too_large', http: 413 });
  });

  it('records a request whose client goes away in the middle of its body', async () => {
    const events = rig.events.all.length;
    const socket = await opened(1000);
    socket.write('{"jsonrpc"');
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
