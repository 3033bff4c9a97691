import { credentials, status } from '@grpc/grpc-js';
import { selfSigned } from '@portcullis/service/certificate.fixture';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { descriptor, rpcClient, type SentRequest } from './grpc.fixture.js';
import { startIssuer, startService, type Issuer } from './service.fixture.js';

const server = selfSigned();
const CLIENTS = {
  gateway: selfSigned('gateway.example'),
  mesh: selfSigned('spiffe://mesh/gateway'),
  all: selfSigned('all.example'),
  stranger: selfSigned('stranger.example'),
  unsigned: selfSigned('gateway.example'),
};
type Client = keyof typeof CLIENTS;
const { unsigned: _unsigned, ...trusted } = CLIENTS;

let dir: string;
let issuer: Issuer;
let service: Awaited<ReturnType<typeof startService>>;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'limits-'));
  issuer = await startIssuer();
  const file = async (name: string, pem: string) => (await writeFile(join(dir, name), pem), join(dir, name));
  const authorities = Object.values(trusted).map(({ cert }) => cert);
  service = await startService(issuer, undefined, {
    TLS_CERT_FILE: await file('cert.pem', server.cert),
    TLS_KEY_FILE: await file('key.pem', server.key),
    TLS_CLIENT_CA_FILE: await file('ca.pem', authorities.join('')),
    CLIENT_CERTIFICATES: 'gateway.example=acme, spiffe://mesh/gateway=acme, all.example=*',
    FORCE_HTTPS: 'true',
  });
});
afterAll(async () => {
  await service.close();
  await issuer.close();
  await rm(dir, { recursive: true });
});

/** @returns status 0 when there was no connection */
function send(
  client: Client | undefined,
  path: string,
  body?: object,
  token?: string,
): Promise<{ status: number; body: any }> {
  const { port } = new URL(service.url);
  const headers = {
    'content-type': 'application/json',
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  };
  return new Promise((resolve) => {
    const asked = request(
      {
        ...{ host: '127.0.0.1', port, path, method: body ? 'POST' : 'GET', headers, ca: server.cert, agent: false },
        ...(client && CLIENTS[client]),
      },
      (response) => {
        let text = '';
        response
          .on('data', (chunk) => (text += chunk))
          .on('end', () => resolve({ status: response.statusCode!, body: JSON.parse(text) }));
      },
    );
    asked.on('error', () => resolve({ status: 0, body: undefined })).end(body && JSON.stringify(body));
  });
}
const question = (principal: string) => ({ principal, llmTokens: 100 });

describe('over HTTP', () => {
  test.each<[Client]>([['gateway'], ['mesh']])('%s asks for the tenant that its name has', async (client) => {
    const { status: code, body } = await send(client, '/v1/decide', question(client));
    expect({ code, body }).toMatchObject({ code: 200, body: { allowed: true, remaining: 59 } });
    expect(await service.limiter.decide({ tenant: 'acme', principal: client })).toMatchObject({ remaining: 58 });
    const other = await send(client, '/v1/decide', { ...question(client), tenant: 'default' });
    expect(other).toMatchObject({ status: 403, body: { error: 'tenant_forbidden' } });
    expect((await send(client, '/v1/rules')).body.rules).toBeDefined();
  });

  test('one of all tenants names the tenant, since it has none of its own', async () => {
    expect(await send('all', '/v1/decide', question('a'))).toMatchObject({
      status: 400,
      body: { error: 'input_invalid', issues: ['tenant: is missing. This caller has none of its own'] },
    });
    const { body } = await send('all', '/v1/decide', { ...question('a'), tenant: 'default' });
    expect(body).toMatchObject({ allowed: true });
    expect(await send('all', '/v1/release', { lease: body.lease, tenant: 'default' })).toMatchObject({
      body: { released: true },
    });
  });

  test('a certificate that nobody named is refused', async () => {
    for (const [path, body] of [['/v1/decide', question('a')], ['/v1/rules']] as const) {
      expect(await send('stranger', path, body)).toMatchObject({ status: 403, body: { error: 'certificate_unknown' } });
    }
  });

  test('one of another authority, and none, is no connection', async () => {
    for (const client of ['unsigned', undefined] as const) {
      expect((await send(client, '/v1/decide', question('a'))).status).toBe(0);
    }
  });

  test('a token decides alone where one is sent, whatever the certificate', async () => {
    const acme = await service.token({ tenant: 'beta' });
    expect(await send('stranger', '/v1/decide', question('b'), acme)).toMatchObject({ status: 200 });
    expect(await service.limiter.decide({ tenant: 'beta', principal: 'b' })).toMatchObject({ remaining: 58 });
    expect(await send('gateway', '/v1/decide', question('b'), 'x')).toMatchObject({
      status: 401,
      body: { error: 'token_invalid' },
    });
  });

  test('a lease of one is as unknown to another of the same tenant, whatever it calls itself, as to all', async () => {
    const { body } = await send('gateway', '/v1/decide', question('c'));
    const named = await service.token({ tenant: 'acme', client_id: 'gateway.example', sub: 'gateway.example' });
    const tries = [['mesh'], ['stranger', named], ['stranger', await service.token({ tenant: 'acme' })]] as const;
    for (const [client, token] of tries) {
      const settled = await send(client, '/v1/settle', { lease: body.lease, llmTokens: 0 }, token);
      expect(settled).toEqual({ status: 200, body: { settled: false } });
      expect((await send(client, '/v1/release', { lease: body.lease }, token)).body).toEqual({ released: false });
    }
    expect((await send('gateway', '/v1/settle', { lease: body.lease, llmTokens: 0 })).body).toEqual({ settled: true });
  });
});

const NO_PAIR = { key: undefined, cert: undefined };

describe('over gRPC', () => {
  const ask = async (client: Client | undefined, request: SentRequest, headers = {}) => {
    const { key, cert } = client === undefined ? NO_PAIR : CLIENTS[client];
    const by = credentials.createSsl(
      Buffer.from(server.cert),
      key ? Buffer.from(key) : null,
      cert ? Buffer.from(cert) : null,
    );
    const rpc = rpcClient(service.grpc!, by);
    const answer = await rpc.ask(request, headers);
    rpc.close();
    return answer;
  };
  const asking = (domain: string, principal: string) => ({ domain, descriptors: [descriptor({ principal })] });

  test('a certificate asks for the tenant that its name has, and no other', async () => {
    expect((await ask('gateway', asking('acme', 'g'))).reply.statuses[0].limitRemaining).toBe(59);
    expect((await ask('mesh', asking('', 'g'))).reply.statuses[0].limitRemaining).toBe(58);
    expect((await ask('gateway', asking('default', 'g'))).code).toBe(status.PERMISSION_DENIED);
    expect((await ask('all', asking('acme', 'g'))).reply.statuses[0].limitRemaining).toBe(57);
    expect(await ask('all', asking('', 'g'))).toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: expect.stringContaining('descriptors[0].domain: is missing'),
    });
  });

  test('one that nobody named is refused; one of another authority, and none, is no connection', async () => {
    expect(await ask('stranger', asking('acme', 'g'))).toMatchObject({
      code: status.PERMISSION_DENIED,
      details: expect.stringContaining('certificate_unknown'),
    });
    expect((await ask('unsigned', asking('acme', 'g'))).code).toBe(status.UNAVAILABLE);
    expect((await ask(undefined, asking('acme', 'g'))).code).toBe(status.UNAVAILABLE);
  });

  test('a token decides alone where one is sent', async () => {
    const headers = { authorization: `Bearer ${await service.token({ tenant: 'beta' })}` };
    expect((await ask('stranger', asking('beta', 'h'), headers)).reply.statuses[0].limitRemaining).toBe(59);
  });
});
