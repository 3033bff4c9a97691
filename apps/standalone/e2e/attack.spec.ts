import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeJwt, decodeProtectedHeader, SignJWT } from 'jose';
import { Gate, launch, MODERN, outcomeOf, until, type DemoClient } from './gate.js';

/** What an attacker at the outer surface tries. Rows that held once have to hold for ever. */
let gate: Gate;
beforeAll(async () => {
  gate = await Gate.start();
}, 60_000);
afterAll(() => gate?.stop());

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const lookUp = (token: string) => gate.call(token, 'get_customer_info', { customer_id: '12345' });
const freshToken = async (...scopes: string[]) => gate.tokenFor(await gate.newClient(scopes));
const isolate = async (token: string) => {
  for (let n = 0; n < 5; n++) await gate.call(token, `no_such_tool_${n}`, {});
  await until(async () => outcomeOf(await lookUp(token)) === 'quarantined');
};
const admin = async (method: string, path: string, body?: unknown, scope = 'admin:clients platform:admin') =>
  fetch(`${gate.ready.authServer}/admin/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${await gate.adminToken(`${gate.ready.authServer}/admin`, scope)}`,
      'content-type': 'application/json',
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });

const rpc = (more: object = {}) => ({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: {
    name: 'get_customer_info',
    arguments: { customer_id: '12345' },
    _meta: { 'io.modelcontextprotocol/protocolVersion': MODERN, 'io.modelcontextprotocol/clientCapabilities': {} },
  },
  ...more,
});
const callHeaders = (token: string): Record<string, string> => ({
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
  'mcp-protocol-version': MODERN,
  'mcp-method': 'tools/call',
  'mcp-name': 'get_customer_info',
  authorization: `Bearer ${token}`,
});

/** A call whose body is finished only when `finish` is asked for; the answer's JSON-RPC error code, or what it read. */
function slowCall(token: string) {
  const body = JSON.stringify(rpc());
  const outgoing = request(gate.ready.mcp, {
    method: 'POST',
    agent: false,
    headers: { ...callHeaders(token), 'content-length': Buffer.byteLength(body) },
  });
  const answer = new Promise<{ status: number; text: string }>((resolve, reject) => {
    outgoing.on('error', reject).on('response', (incoming) => {
      let text = '';
      incoming.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, text }));
    });
  });
  outgoing.write(body.slice(0, 10));
  return { answer, finish: () => void outgoing.end(body.slice(10)), cut: () => void outgoing.destroy() };
}

/** Bytes as they are; what comes back within half a second. */
const raw = (url: string, bytes: string): Promise<string> =>
  new Promise((resolve) => {
    let got = '';
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => void socket.write(bytes));
    socket.on('data', (chunk) => (got += chunk.toString('latin1'))).on('error', () => {});
    socket.on('close', () => resolve(got));
    setTimeout(() => socket.destroy(), 500);
  });

describe('containment', () => {
  test('calls that began before the agent was isolated, and end after it, are refused', async () => {
    const token = await freshToken('customer:read');
    const waiting = Array.from({ length: 3 }, () => slowCall(token));
    await pause(300);
    await isolate(token);
    for (const { finish } of waiting) finish();
    const answers = await Promise.all(waiting.map(({ answer }) => answer));
    expect(answers.map(({ status, text }) => [status, text.includes('Ada Palmer')])).toEqual(
      waiting.map(() => [403, false]),
    );
  });

  test('an isolated client is refused by the rate limiter too', async () => {
    const client = await gate.newClient(['customer:read', 'limits:decide']);
    const audience = `${gate.ready.rateLimiter}/v1`;
    const token = await gate.tokenFor(client, { resource: audience, scope: 'limits:decide' });
    await isolate(await gate.tokenFor(client, { scope: 'customer:read' }));
    const answer = await fetch(`${audience}/decide`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ principal: 'somebody' }),
    });
    expect(answer.status).toBe(403);
  });

  test('whoever has no credentials cannot move an agent they name', async () => {
    const client = await gate.newClient(['customer:read']);
    const token = await gate.tokenFor(client);
    const forged = `${token.split('.').slice(0, 2).join('.')}.${'A'.repeat(86)}`;
    for (let n = 0; n < 6; n++) {
      await gate.requestToken({ ...client, client_secret: 'guess' }, { scope: 'platform:admin' });
      await gate.call(forged, `no_such_tool_${n}`, {});
    }
    await pause(500);
    expect(outcomeOf(await lookUp(token))).toBe('allowed');
    const { body } = await gate.analytics(`/v1/agents?client_id=${client.client_id}`);
    expect(body as unknown).toMatchObject({ items: [{ state: 'Normal', denials: 0 }] });
  });
});

describe('limits', () => {
  const mostOf = async (attempt: () => Promise<{ status: number }>, rounds = 7): Promise<number> => {
    let refused = 0;
    for (let n = 0; n < rounds; n++) {
      const answers = await Promise.all(Array.from({ length: 10 }, attempt));
      refused += answers.filter(({ status }) => status === 429).length;
    }
    return refused;
  };

  // 190 requests of one agent in a minute, of which 180 may arrive
  test.each<[string, (token: string) => Promise<{ status: number }>]>([
    ['step-ups (403)', (token) => gate.call(token, 'create_support_ticket', {})],
    ['unknown methods (404)', (token) => gate.post(token, 'no/such')],
    ['headers that do not agree (400)', (token) => gate.post(token, 'tools/list', {}, { 'mcp-method': 'x' })],
    ['unknown resources', (token) => gate.post(token, 'resources/read', { uri: 'secret://1' })],
  ])('count requests that are refused: %s', async (_name, attempt) => {
    const token = await gate.tokenFor(await gate.newClient(['customer:read', 'ticket:create']));
    expect(await mostOf(() => attempt(token), 19)).toBe(10);
  });

  // each held body may be 1 MiB, for the 30 s a request may take
  test('hold before bodies are read, so that one agent cannot fill the memory with them', async () => {
    const token = await freshToken('customer:read');
    const held = Array.from({ length: 190 }, () => slowCall(token));
    const early = held.map(({ answer }) => Promise.race([answer, pause(1_500).then(() => ({ status: 0 }))]));
    const statuses = (await Promise.all(early)).map(({ status }) => status);
    for (const { finish } of held) finish();
    await Promise.allSettled(held.map(({ answer }) => answer));
    for (const { cut } of held) cut();
    // 128 of one agent are under way at a time (MAX_CALLS_PER_AGENT)
    expect(statuses.filter((status) => status === 429)).toHaveLength(62);
  });

  test('are the same over several tokens and connections', async () => {
    const client = await gate.newClient(['customer:read']);
    const tokens = [await gate.tokenFor(client), await gate.tokenFor(client)];
    let n = 0;
    expect(await mostOf(() => lookUp(tokens[n++ % 2]!))).toBe(10);
    const read = await gate.post(tokens[0], 'resources/read', { uri: 'customer://12345' });
    expect(read.status).toBe(429);
  });
});

describe('other callers of our APIs', () => {
  test.each<[number, string, string]>([
    [200, 'since', '2026-01-01T00:00:00+23:59'],
    [200, 'until', '2026-01-01T00:00:00-16:00'],
    [400, 'since', '0000-01-01T00:00:00Z'],
    [
      400,
      'cursor',
      Buffer.from('["0000-01-01T00:00:00.000Z","01a1fbc6-62ca-7000-8000-000000000000"]').toString('base64url'),
    ],
  ])('any time gets an answer, and %i when SQL could not hold it: %s=%s', async (expected, name, value) => {
    const { status } = await gate.analytics(`/v1/events?${new URLSearchParams({ [name]: value })}`);
    expect(status).toBe(expected);
  });

  test('who may only administer users makes nobody an administrator of clients', async () => {
    const user = { username: `mallory-${Date.now()}`, roles: ['admin', 'responder'] };
    expect((await admin('POST', '/users', user, 'admin:users')).status).toBe(403);
  });

  test('the management port answers to its own names only', async () => {
    const answer = await raw(gate.ready.management.mcpServer, 'GET /metrics HTTP/1.1\r\nHost: evil.example\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 403 /);
  });
});

describe('pages', () => {
  const cookiesOf = (answer: Response) =>
    answer.headers
      .getSetCookie()
      .map((line) => line.split(';')[0])
      .join('; ');
  /** A login page, as a browser without scripts sees it. */
  async function loginForm() {
    const query = new URLSearchParams({
      response_type: 'code',
      client_id: 'desktop',
      redirect_uri: 'http://127.0.0.1:45678/callback',
      scope: 'customer:read',
      code_challenge: 'a'.repeat(43),
      code_challenge_method: 'S256',
    });
    const sent = await fetch(`${gate.ready.authServer}/authorize?${query}`, { redirect: 'manual' });
    const cookie = cookiesOf(sent);
    const page = await fetch(new URL(sent.headers.get('location')!, gate.ready.authServer), { headers: { cookie } });
    const html = await page.text();
    const action = new URL(/<form[^>]*\saction="([^"]+)"/.exec(html)![1]!, gate.ready.authServer);
    const form_token = /name="form_token" value="([^"]*)"/.exec(html)![1]!;
    const post = (to: URL, body: URLSearchParams | string, type = 'application/x-www-form-urlencoded') =>
      fetch(to, { method: 'POST', redirect: 'manual', body, headers: { cookie, 'content-type': type } });
    return { action, form_token, post };
  }

  test('a password in the URL signs nobody in', async () => {
    const { action, form_token, post } = await loginForm();
    const { username, password } = gate.demo.users[0]!;
    action.search = new URLSearchParams({ username, password }).toString();
    expect((await post(action, new URLSearchParams({ form_token }))).status).toBe(400);
  });

  test.each([
    'http://127.0.0.1:9/evil',
    'http://127.0.0.1:9/callback?x=1',
    'http://evil@127.0.0.1:9/callback',
    'http://127.0.0.1:9@evil.example/callback',
    'http://127.0.0.1.evil.example/callback',
    'http://127.0.0.1:9/%63allback',
    'http://2130706433:9/callback',
    'https://127.0.0.1:9/callback',
    'javascript:alert(1)',
  ])('nobody is redirected to %s', async (redirect_uri) => {
    const query = new URLSearchParams({ client_id: 'desktop', response_type: 'code', redirect_uri });
    const answer = await fetch(`${gate.ready.authServer}/authorize?${query}`, { redirect: 'manual' });
    expect([answer.status, answer.headers.get('location')]).toEqual([400, null]);
  });
});

describe('a data folder that others may write to', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'portcullis-data-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  /** Starts a gate on the folder, and stops it again when it comes up. @returns its exit code, or 'came up' */
  const startOn = async (data: string): Promise<number | null | 'came up'> => {
    const { child, printed, exited } = launch(['--port-base', '0', '--data', data]);
    let over = false;
    const up = until(() => over || printed.join('').includes('Portcullis is up')).then(() => 'came up' as const);
    const outcome = await Promise.race([up, exited]);
    over = true;
    child.kill();
    await exited;
    up.catch(() => {});
    return outcome;
  };

  test('is not used', async () => {
    chmodSync(folder, 0o777);
    expect(await startOn(folder)).toBe(1);
  }, 30_000);

  test('is not a way to have keys written, and modes changed, elsewhere', async () => {
    const [data, elsewhere] = [join(folder, 'data'), join(folder, 'elsewhere')];
    for (const each of [data, elsewhere]) mkdirSync(each, { mode: 0o755 });
    symlinkSync(elsewhere, join(data, 'keys'));
    await startOn(data);
    expect([readdirSync(elsewhere), statSync(elsewhere).mode & 0o777]).toEqual([[], 0o755]);
  }, 30_000);
});

describe('what has held', () => {
  test.each<[string, string, RegExp]>([
    ['two lengths', 'Content-Length: 5\r\n', /^HTTP\/1\.1 400 /],
    ['length and chunks', 'Transfer-Encoding: chunked\r\n', /^HTTP\/1\.1 400 /],
    ['a second Host', 'Host: evil.example\r\n', /^HTTP\/1\.1 403 /],
    ['a second token', 'Authorization: Bearer x\r\n', /^HTTP\/1\.1 401 /],
  ])('a request with %s calls nothing', async (_name, more, expected) => {
    const body = JSON.stringify(rpc());
    const head = Object.entries(callHeaders(await freshToken('customer:read'))).map(
      ([name, value]) => `${name}: ${value}`,
    );
    // what stands first is what most servers believe
    const first = more.startsWith('Host')
      ? `${more}Host: ${new URL(gate.ready.mcp).host}\r\n`
      : `Host: ${new URL(gate.ready.mcp).host}\r\n${more}`;
    const answer = await raw(
      gate.ready.mcp,
      `POST /mcp HTTP/1.1\r\n${first}${head.join('\r\n')}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    expect([answer, answer.includes('Ada Palmer')]).toEqual([expect.stringMatching(expected), false]);
  });

  test.each(['/mcp/', '//mcp', '/MCP', '/%6dcp', '/x/../mcp', '/mcp;x', '/mcp%00'])(
    '%s is not the door',
    async (path) => {
      const answer = await raw(
        gate.ready.mcp,
        `POST ${path} HTTP/1.1\r\nHost: ${new URL(gate.ready.mcp).host}\r\nContent-Length: 0\r\n\r\n`,
      );
      expect(answer).toMatch(/^HTTP\/1\.1 404 /);
    },
  );

  test.each<[string, (good: string) => string | Promise<string>]>([
    ['a key of its own in `jwk`', (good) => forge(good, { jwk: OWN_JWK })],
    ['a `jku`', (good) => forge(good, { jku: 'http://127.0.0.1:9/jwks' })],
    ['a `kid` that is a path', (good) => forge(good, { kid: '../../etc/passwd' })],
    ['alg NoNe', (good) => `${encode({ ...decodeProtectedHeader(good), alg: 'NoNe' })}.${good.split('.')[1]}.`],
    [
      '`crit`',
      (good) => `${encode({ ...decodeProtectedHeader(good), crit: ['exp'] })}.${good.split('.').slice(1).join('.')}`,
    ],
    [
      'wider claims',
      (good) => `${good.split('.')[0]}.${encode({ ...decodeJwt(good), scope: 'data:export' })}.${good.split('.')[2]}`,
    ],
    [
      'a signature of zeros',
      (good) => `${good.split('.').slice(0, 2).join('.')}.${Buffer.alloc(64).toString('base64url')}`,
    ],
    ['the audience of an admin API', () => gate.adminToken(`${gate.ready.mcpServer}/admin`, 'platform:admin')],
  ])('a token with %s is 401', async (_name, forged) => {
    expect((await lookUp(await forged(await freshToken('customer:read')))).status).toBe(401);
  });

  test('nothing of another tenant is seen, and unknown things look the same', async () => {
    const tenant = `drill-attack${Date.now()}`;
    const drill = async (method: string) =>
      fetch(`${gate.ready.mcpServer}/admin/v1/drills/${tenant}`, {
        method,
        headers: {
          authorization: `Bearer ${await gate.adminToken(`${gate.ready.mcpServer}/admin`, 'platform:admin')}`,
        },
      });
    await drill('PUT');
    try {
      const own = await freshToken('ticket:read', 'customer:list', 'data:export');
      const theirs = await gate.tokenFor(await gate.newClient(['ticket:create'], { tenant }), {
        scope: 'ticket:create',
      });
      const ticket = { customer_id: '12345', subject: 'a secret of theirs', description: 'x' };
      const made = await gate.call(theirs, 'create_support_ticket', ticket);
      const { ticket_id } = made.body.result!.structuredContent as { ticket_id: string };
      const ask = async (id: string) =>
        (await gate.call(own, 'get_support_ticket', { ticket_id: id })).body.result?.content;
      expect(await ask(ticket_id)).toEqual(await ask('T-999999999'));
      const rows = await gate.call(own, 'export_data', { dataset: 'tickets', limit: 500 });
      expect([outcomeOf(rows), JSON.stringify(rows.body).includes('theirs')]).toEqual(['allowed', false]);
    } finally {
      await drill('DELETE');
    }
  });

  test('after all that the server lives, and its output holds no secret', () => {
    expect(gate.child.exitCode).toBeNull();
    const secrets = [
      ...Object.values(gate.demo.clients).map((client: DemoClient) => client.client_secret),
      ...gate.demo.users.map(({ password }) => password),
    ];
    for (const secret of secrets) if (secret !== undefined) expect(gate.output).not.toContain(secret);
    expect(gate.output).not.toMatch(/eyJ[\w-]{20,}\.|\d{3}-\d{2}-\d{4}|unhandled/i);
  });
});

const OWN = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', OWN.publicKey);
const OWN_JWK = { kty: kty!, crv: crv!, x: x!, y: y! };
const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
/** The claims of a good token, signed by a key of the attacker's own. */
const forge = (good: string, header: Record<string, unknown>): Promise<string> =>
  new SignJWT(decodeJwt(good))
    .setProtectedHeader({ ...decodeProtectedHeader(good), alg: 'ES256', ...header })
    .sign(OWN.privateKey);
