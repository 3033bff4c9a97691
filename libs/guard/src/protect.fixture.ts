import { once } from 'node:events';
import { createServer, request, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { silentLog } from '@portcullis/contract/log';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import * as z from 'zod';
import { protect, type Protected, type ProtectOptions } from './protect.wire.js';
import { defineTool, type AnyTool } from './tool.js';

/** An authorization server that is not ours, as far as the guard asks it: metadata, keys and tokens. */
export async function foreignIssuer() {
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  const jwk = { ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256', use: 'sig' };
  const { server, origin: url } = await listening();
  const documents: Record<string, object> = {
    '/.well-known/oauth-authorization-server': { issuer: url, jwks_uri: `${url}/keys` },
    '/keys': { keys: [jwk] },
  };
  server.on('request', (asked, response) => {
    const document = documents[asked.url ?? ''];
    response
      .writeHead(document ? 200 : 404, { 'content-type': 'application/json' })
      .end(JSON.stringify(document ?? {}));
  });
  return {
    url,
    keys: `${url}/keys`,
    /** a machine's token for ten minutes, with claims over its own */
    token: (audience: string, claims: object = {}): Promise<string> =>
      new SignJWT({
        iss: url,
        sub: 'agent',
        client_id: 'agent',
        aud: audience,
        jti: 'one',
        iat: Math.floor(Date.now() / 1000),
        exp: Math.floor(Date.now() / 1000) + 600,
        scope: 'notes:read',
        ...claims,
      })
        .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'one' })
        .sign(privateKey),
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
type ForeignIssuer = Awaited<ReturnType<typeof foreignIssuer>>;

/** A tool that reads notes and has no other effect, with what a test says of it. */
export const noteTool = (name: string, words: Partial<AnyTool> = {}): AnyTool =>
  ({
    ...defineTool({
      name,
      description: 'Read notes.',
      scopes: ['notes:read'],
      effects: ['reads-untrusted'],
      limit: { perMinute: 60, llmTokens: 10 },
      input: z.looseObject({}),
      output: z.strictObject({}),
      execute: async () => ({}),
    }),
    ...words,
  }) as AnyTool;

/** What is asked over HTTP, besides the method of MCP and its params. */
interface Asked {
  /** of the caller's token */
  readonly claims?: object;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A server of node:http behind `protect`, with one tool `read` unless options say otherwise. */
export async function served(issuer: ForeignIssuer, options: Partial<ProtectOptions> = {}) {
  const { server, origin } = await listening();
  const resource = `${origin}/mcp`;
  let gate: Protected;
  try {
    gate = protect({ issuer: issuer.url, resource, tools: [noteTool('read')], log: silentLog, ...options });
  } catch (error) {
    server.close();
    throw error;
  }
  server.on('request', gate.listener);

  const post = async (body: string, { claims = {}, headers = {} }: Asked = {}) =>
    send(resource, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${await issuer.token(resource, claims)}`,
        'content-type': 'application/json',
        accept: 'application/json',
        'mcp-protocol-version': '2025-11-25',
        ...headers,
      },
      body,
    });
  const rpc = (method: string, params: object = {}, asked: Asked = {}) =>
    post(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }), asked);
  return {
    resource,
    post,
    rpc,
    call: (name: string, args: object = {}, asked: Asked = {}, meta: object = {}) =>
      rpc('tools/call', { name, arguments: args, _meta: meta }, asked),
    metadata: (headers: Readonly<Record<string, string>> = {}) =>
      send(`${origin}/.well-known/oauth-protected-resource/mcp`, { method: 'GET', headers }),
    preflight: (page: string) =>
      send(resource, { method: 'OPTIONS', headers: { origin: page, 'access-control-request-method': 'POST' } }),
    async close() {
      server.close();
      server.closeAllConnections();
      await gate.close();
    },
  };
}
type Served = Awaited<ReturnType<typeof served>>;

/** Settings that say whose calls are taken and what the server is; the rest say what becomes of a call. */
export type OfCallers =
  | 'issuer'
  | 'resource'
  | 'tools'
  | 'name'
  | 'version'
  | 'instructions'
  | 'jwksUri'
  | 'claims'
  | 'tenant'
  | 'depsFor'
  | 'isRevoked'
  | 'stateOf'
  | 'now';
/** Of each setting what it does, and requests that show it at work: they fail where `protect` drops the setting. */
export type Settings<Setting extends keyof ProtectOptions> = {
  readonly [Each in Setting]: readonly [string, (gateWith: GateWith, issuer: ForeignIssuer) => Promise<void>];
};
type GateWith = (options?: Partial<ProtectOptions>) => Promise<Served>;

export function describeSettings(settings: Partial<Settings<keyof ProtectOptions>>): void {
  let issuer: ForeignIssuer;
  const open: Served[] = [];
  const gateWith: GateWith = async (options) => {
    const gate = await served(issuer, options);
    open.push(gate);
    return gate;
  };
  beforeAll(async () => {
    issuer = await foreignIssuer();
  });
  afterEach(async () => {
    for (const gate of open.splice(0)) await gate.close();
  });
  afterAll(() => issuer.close());
  describe.each(Object.entries(settings))('the setting %s', (_setting, [fact, shows]) => {
    test(fact, () => shows(gateWith, issuer));
  });
}

/** An answer as far as these tests look: what went wrong has a code, whether the protocol or a tool's result says it. */
interface Heard {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly result: Readonly<Record<string, unknown>> | undefined;
  readonly json: unknown;
  /** of a refusal */
  readonly code: string | undefined;
  readonly data: Readonly<Record<string, unknown>> | undefined;
}

interface Sent {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** node:http, since fetch lets nobody say the Host. */
async function send(url: string, { method, headers, body = '' }: Sent): Promise<Heard> {
  const asking = request(url, { method, headers, agent: false }).end(body);
  const [response] = (await once(asking, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += String(chunk);
  const json = (text === '' ? undefined : JSON.parse(text)) as
    { result?: Heard['result']; error?: { data?: Heard['data'] } } | undefined;
  const data = json?.error?.data ?? refusalIn(json?.result);
  return {
    status: response.statusCode!,
    headers: response.headers,
    result: json?.result,
    json,
    code: data?.['code'] as string | undefined,
    data,
  };
}

const refusalIn = (result: Heard['result']): Heard['data'] =>
  (result?.['_meta'] as Record<string, Heard['data']> | undefined)?.['portcullis/refusal'];

async function listening() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}
