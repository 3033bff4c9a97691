import { generateKeyPairSync } from 'node:crypto';
import { decodeJwt } from 'jose';
import { adminApis } from './admin.js';
import type { Ask, Question } from './ask.js';
import { WrongUse } from './faults.js';
import type { Ready } from './ready.js';

const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }) as Record<
  string,
  unknown
>;
const ready = {
  authServer: 'http://127.0.0.1:4400',
  mcpServer: 'http://127.0.0.1:4401',
  analytics: 'http://127.0.0.1:4404',
} as Ready;
const published = {
  issuer: 'http://127.0.0.1:4400',
  resource: 'http://127.0.0.1:4401/mcp',
  tokenEndpoint: 'http://127.0.0.1:4400/token',
  jwksUri: 'http://127.0.0.1:4400/jwks',
};

function gate(
  tokenReply: { status: number; body: unknown } = { status: 200, body: { access_token: 'tok', expires_in: 300 } },
) {
  const asked: [string, Question][] = [];
  const ask: Ask = async (url, question = {}) => {
    asked.push([url, question]);
    const { status, body } = url === published.tokenEndpoint ? tokenReply : { status: 200, body: {} };
    return { status, header: () => undefined, text: JSON.stringify(body) };
  };
  let ids = 0;
  const ports = { ask, now: () => 1_800_000_000_000, newId: () => `id-${++ids}` };
  return { asked, ports };
}
const form = ([, { body }]: [string, Question]) => Object.fromEntries(new URLSearchParams(body));

test('each API gets a token of its own audience with the scopes asked for, once', async () => {
  const { asked, ports } = gate();
  const apis = adminApis(ready, published, key, ports);
  await apis('authAdmin', ['admin:clients']).get('/clients');
  await apis('authAdmin', ['admin:clients']).get('/clients');
  await apis('mcpAdmin', ['platform:admin']).send('PUT', '/drills/drill-x');
  await apis('analytics', ['security:read']).get('/agents');
  const tokens = asked.filter(([url]) => url === published.tokenEndpoint).map(form);
  expect(tokens.map(({ resource, scope }) => [resource, scope])).toEqual([
    ['http://127.0.0.1:4400/admin', 'admin:clients'],
    ['http://127.0.0.1:4401/admin', 'platform:admin'],
    ['http://127.0.0.1:4404/v1', 'security:read'],
  ]);
  expect(asked.map(([url]) => url).filter((url) => url !== published.tokenEndpoint)).toEqual([
    'http://127.0.0.1:4400/admin/v1/clients',
    'http://127.0.0.1:4400/admin/v1/clients',
    'http://127.0.0.1:4401/admin/v1/drills/drill-x',
    'http://127.0.0.1:4404/v1/agents',
  ]);
  const assertions = tokens.map(({ client_assertion }) => decodeJwt(client_assertion ?? ''));
  expect(assertions[0]).toMatchObject({ sub: 'local-admin', aud: published.issuer, exp: 1_800_000_060 });
  expect(new Set(assertions.map(({ jti }) => jti)).size).toBe(3);
});

test.each([
  ['issuer', { issuer: 'http://127.0.0.1:9' }],
  ['token endpoint', { tokenEndpoint: 'http://127.0.0.1:4401/token' }],
  ['token endpoint', { tokenEndpoint: 'https://evil.example/token' }],
])('an assertion is never made for another %s than the ready file’s', (_, change) => {
  const { asked, ports } = gate();
  expect(() => adminApis(ready, { ...published, ...change }, key, ports)).toThrow(WrongUse);
  expect(asked).toEqual([]);
});

test('a refused token is one sentence', async () => {
  const { ports } = gate({ status: 400, body: { error: 'invalid_client', error_description: 'client unknown' } });
  const api = adminApis(ready, published, key, ports)('analytics', ['security:read']);
  await expect(api.get('/agents')).rejects.toThrow('The gate gave the local administrator no token: client unknown.');
});
