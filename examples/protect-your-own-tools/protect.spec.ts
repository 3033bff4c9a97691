import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { Client, ClientCredentialsProvider, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { startIssuer } from './issuer.fixture.js';

let issuer: Awaited<ReturnType<typeof startIssuer>>;
beforeAll(async () => {
  issuer = await startIssuer();
});
afterAll(() => issuer.close());

describe.each(['http', 'express', 'nest'])('your tools behind the guard, on %s', (host) => {
  let child: ChildProcess;
  let resource: string;
  beforeAll(async () => {
    resource = `http://127.0.0.1:${await freePort()}/mcp`;
    child = spawn(process.execPath, [new URL(`../dist/protect-your-own-tools/${host}.js`, import.meta.url).pathname], {
      env: { PATH: process.env['PATH'], ISSUER: issuer.url, RESOURCE: resource },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await Promise.race([
      once(child.stdout!, 'data'),
      once(child, 'exit').then(([code]) => Promise.reject(new Error(`the example ended with ${code}`))),
    ]);
  });
  // and somebody still listens to its event stream
  afterAll(async () => {
    const stream = await listening(await issuer.tokenFor('listener', resource, 'notes:read'));
    expect([stream.status, stream.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
    const exited = once(child, 'exit');
    child.kill();
    // Nest ends by the signal it was sent, once its hooks have run
    expect(await exited).toEqual(host === 'nest' ? [null, 'SIGTERM'] : [0, null]);
  });

  /** A client that is registered at the issuer, and asks it for `scope` first. */
  async function connected(clientId: string, scope: string): Promise<Client> {
    const authProvider = new ClientCredentialsProvider({
      clientId,
      clientSecret: 'secret-of-the-test',
      scope,
      expectedIssuer: issuer.url,
    });
    const client = new Client({ name: 'spec', version: '1' }, { versionNegotiation: { mode: 'auto' } });
    await client.connect(new StreamableHTTPClientTransport(new URL(resource), { authProvider }));
    return client;
  }

  const post = (token: string | undefined, name: string, args: object = {}): Promise<Response> =>
    fetch(resource, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2025-11-25',
        ...(token && { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } }),
    });

  const listening = (token: string): Promise<Response> => {
    const _meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {},
    };
    const method = 'subscriptions/listen';
    return fetch(resource, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': method,
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 's', method, params: { notifications: {}, _meta } }),
    });
  };

  test('a call without a token is 401 and says where tokens come from', async () => {
    const answer = await post(undefined, 'read_notes');
    expect(answer.status).toBe(401);
    const [, metadata = ''] = /resource_metadata="([^"]+)"/.exec(answer.headers.get('www-authenticate')!) ?? [];
    const described: unknown = await (await fetch(metadata)).json();
    expect(described).toMatchObject({
      resource,
      authorization_servers: [issuer.url],
      scopes_supported: ['notes:read'],
    });
  });

  test('a client of the SDK finds the issuer, reads, and steps up to write by itself', async () => {
    const client = await connected('sdk', 'notes:read');
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(['read_notes', 'add_note']);
    const { structuredContent: before } = await client.callTool({ name: 'read_notes', arguments: {} });
    expect(before).toMatchObject({ notes: ['Buy milk'] });
    const { structuredContent: added } = await client.callTool({ name: 'add_note', arguments: { text: 'Call home' } });
    expect(added).toEqual({ count: 2 });
    await client.close();
  });

  test('a token without the scope is 403 and names the scope to ask for', async () => {
    const answer = await post(await issuer.tokenFor('reader', resource, 'notes:read'), 'add_note', { text: 'x' });
    expect(answer.status).toBe(403);
    expect(answer.headers.get('www-authenticate')).toMatch(/error="insufficient_scope".*scope="notes:write"/);
  });

  test('a token for another server is 401', async () => {
    expect(
      (await post(await issuer.tokenFor('reader', 'https://other.example', 'notes:read'), 'read_notes')).status,
    ).toBe(401);
  });

  test('arguments that do not fit are a result that a model can read', async () => {
    const answer = await post(await issuer.tokenFor('strange', resource, 'notes:write'), 'add_note', {
      text: '',
      more: 1,
    });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ result: { isError: true } });
  });

  test('the sixth note of a minute is 429 and says when to come back', async () => {
    const token = await issuer.tokenFor('busy', resource, 'notes:write');
    const statuses: number[] = [];
    let last!: Response;
    for (let i = 0; i < 6; i += 1) statuses.push((last = await post(token, 'add_note', { text: `note ${i}` })).status);
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429]);
    expect(Number(last.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  test("what is not the guard's is left to the server it is part of", async () => {
    const answer = await fetch(new URL('/hello', resource));
    expect([answer.status, await answer.json()]).toEqual(
      host === 'http' ? [404, { error: 'not_found' }] : [200, { hello: expect.stringContaining('your own') as string }],
    );
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
