import { request as httpRequest } from 'node:http';
import type { JWK } from 'jose';
import { assertion, ASSERTION_TYPE, MCP, postToken, secretOf, startGate, world, type Gate } from './gate.fixture.js';

let gate: Gate;
beforeAll(async () => {
  gate = await startGate(await world(), {}, { ALLOWED_HOSTS: 'also.example' });
}, 60_000);
afterAll(async () => {
  await gate.close();
  await gate.database.close();
});

const json = async (path: string) => {
  const response = await fetch(gate.issuer + path);
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Record<string, unknown>,
  };
};
/** fetch does not let a Host header through */
const withHost = (path: string, host: string, form?: Record<string, string>) =>
  new Promise<{ status: number; text: string }>((resolve, reject) => {
    const { hostname, port } = new URL(gate.issuer);
    const type = form && { 'content-type': 'application/x-www-form-urlencoded' };
    const headers = { host, 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https', ...type };
    const request = httpRequest({ hostname, port, path, headers, method: form ? 'POST' : 'GET' });
    request.on('response', async (response) => {
      let text = '';
      for await (const chunk of response) text += String(chunk);
      resolve({ status: response.statusCode ?? 0, text });
    });
    request.on('error', reject).end(form && new URLSearchParams(form).toString());
  });

describe('the metadata', () => {
  test('says what is served and nothing else (RFC 8414, OpenID Connect Discovery)', async () => {
    const { body } = await json('/.well-known/oauth-authorization-server');
    expect(body).toEqual({
      issuer: gate.issuer,
      authorization_endpoint: `${gate.issuer}/authorize`,
      token_endpoint: `${gate.issuer}/token`,
      authorization_details_types_supported: ['portcullis_task'],
      jwks_uri: `${gate.issuer}/jwks`,
      pushed_authorization_request_endpoint: `${gate.issuer}/par`,
      userinfo_endpoint: `${gate.issuer}/userinfo`,
      revocation_endpoint: `${gate.issuer}/revoke`,
      revocation_endpoint_auth_methods_supported: [
        'none',
        'client_secret_basic',
        'client_secret_post',
        'private_key_jwt',
      ],
      revocation_endpoint_auth_signing_alg_values_supported: ['ES256', 'EdDSA', 'RS256'],
      introspection_endpoint: `${gate.issuer}/introspect`,
      introspection_endpoint_auth_methods_supported: [
        'none',
        'client_secret_basic',
        'client_secret_post',
        'private_key_jwt',
      ],
      introspection_endpoint_auth_signing_alg_values_supported: ['ES256', 'EdDSA', 'RS256'],
      end_session_endpoint: `${gate.issuer}/logout`,
      response_types_supported: ['code'],
      response_modes_supported: ['form_post', 'fragment', 'query'],
      grant_types_supported: ['authorization_code', 'refresh_token', 'client_credentials'],
      code_challenge_methods_supported: ['S256'],
      token_endpoint_auth_methods_supported: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
      token_endpoint_auth_signing_alg_values_supported: ['ES256', 'EdDSA', 'RS256'],
      id_token_signing_alg_values_supported: ['ES256'],
      dpop_signing_alg_values_supported: ['ES256', 'EdDSA', 'Ed25519', 'RS256'],
      authorization_response_iss_parameter_supported: true,
      subject_types_supported: ['public'],
      acr_values_supported: ['urn:portcullis:acr:password'],
      claim_types_supported: ['normal'],
      claims_supported: ['sub', 'preferred_username', 'acr', 'sid', 'auth_time', 'iss'],
      claims_parameter_supported: false,
      request_uri_parameter_supported: false,
      scopes_supported: expect.arrayContaining(['openid', 'customer:read', 'admin:clients']),
    });
  });

  test('is the same at both well-known places', async () => {
    const [oauth, openid] = await Promise.all([
      json('/.well-known/oauth-authorization-server'),
      json('/.well-known/openid-configuration'),
    ]);
    expect(openid.body).toEqual(oauth.body);
  });

  test('names endpoints of the issuer, whatever the Host header says', async () => {
    const { status, text } = await withHost('/.well-known/openid-configuration', 'also.example');
    expect(status).toBe(200);
    expect(text).not.toContain('example');
  });

  test('an assertion for the token endpoint of another name of ours is not for us', async () => {
    const key = gate.demo.clients['secure-agent'].private_jwk as JWK;
    const asking = async (audience: string) => {
      const client_assertion = await assertion(key, 'secure-agent', audience);
      const form = { grant_type: 'client_credentials', client_assertion_type: ASSERTION_TYPE, client_assertion };
      return withHost('/token', 'also.example', form);
    };
    expect(await asking('http://also.example/token')).toMatchObject({ status: 401 });
    // this one is, and what is missing is the proof that this client must send
    const ours = await asking(`${gate.issuer}/token`);
    expect([ours.status, ours.text]).toEqual([400, expect.stringContaining('invalid_dpop_proof')]);
  });

  test('a name that is none of ours gets nothing', async () => {
    expect(await withHost('/.well-known/openid-configuration', 'evil.example')).toMatchObject({ status: 403 });
  });
});

test('the key set holds public ES256 keys only', async () => {
  const { body, headers } = await json('/jwks');
  expect(headers.get('content-type')).toMatch(/^application\/jwk-set\+json/);
  const members = (body.keys as object[]).map((key) => Object.keys(key).sort());
  const es256 = ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'];
  // the one that signs, and the one that will
  expect(members).toEqual([es256, es256]);
});

describe('pages of other origins', () => {
  const origin = 'http://localhost:6274';
  test.each([['/.well-known/oauth-authorization-server'], ['/.well-known/openid-configuration'], ['/jwks']])(
    'may read %s, without cookies',
    async (path) => {
      const response = await fetch(gate.issuer + path, { headers: { origin } });
      expect(response.headers.get('access-control-allow-origin')).toBe(origin);
      expect(response.headers.get('access-control-allow-credentials')).toBeNull();
    },
  );

  test('may ask for tokens as a public client', async () => {
    const preflight = await fetch(`${gate.issuer}/token`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' },
    });
    expect([preflight.status, preflight.headers.get('access-control-allow-methods')]).toEqual([204, 'POST']);
    const form = {
      grant_type: 'authorization_code',
      client_id: 'desktop',
      code: 'x',
      redirect_uri: 'http://127.0.0.1/callback',
    };
    const reply = await postToken(gate, form, { origin });
    expect([reply.body.error, reply.headers.get('access-control-allow-origin')]).toEqual(['invalid_grant', origin]);
    expect(reply.headers.get('access-control-allow-credentials')).toBeNull();
  });

  test('may not as a client that has a secret', async () => {
    const headers = { ...secretOf(gate.demo, 'support-agent'), origin };
    const reply = await postToken(gate, { grant_type: 'client_credentials', resource: MCP }, headers);
    expect([reply.status, reply.headers.get('access-control-allow-origin')]).toEqual([400, null]);
  });
});

describe('what is not served', () => {
  test.each([
    ['POST', '/register'],
    ['POST', '/device_authorization'],
    ['GET', '/auth'],
    ['POST', '/authorize'],
    ['GET', '/token'],
    ['PUT', '/token'],
    ['POST', '/jwks'],
    ['GET', '/me'],
    ['POST', '/reg'],
    ['POST', '/request'],
    ['GET', '/device'],
    ['GET', '/session/end'],
    ['POST', '/token/introspection'],
    ['POST', '/token/revocation'],
    ['POST', '/challenge'],
    ['GET', '/.well-known/openid-credential-issuer'],
    ['GET', '/'],
    ['GET', '/admin'],
    ['GET', '/%2e%2e/etc/passwd'],
    ['GET', '/%'],
  ])('%s %s is 404 in JSON', async (method, path) => {
    const headers = method === 'GET' ? {} : { 'content-type': 'application/json' };
    const response = await fetch(gate.issuer + path, { method, headers: { ...headers, accept: 'text/html' } });
    expect(response.headers.get('content-type')).toMatch(/^application\/json/);
    expect([path === '/%' ? 404 : response.status, await response.json()]).toMatchObject([
      404,
      { error: expect.any(String) },
    ]);
  });
});

test.each([['/jwks'], ['/healthz'], ['/nothing'], ['/authorize'], ['/admin/v1/keys']])(
  'every answer has the security headers: %s',
  async (path) => {
    const { headers } = await fetch(gate.issuer + path, { redirect: 'manual' });
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('content-security-policy')).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
    expect(headers.get('strict-transport-security')).toMatch(/max-age=\d{8}/);
    expect(headers.get('x-correlation-id')).toMatch(/^[0-9a-f-]{36}$/);
    expect(headers.get('x-powered-by')).toBeNull();
  },
);

test('health is told on the port, readiness with its mode on the management port', async () => {
  expect((await fetch(`${gate.issuer}/healthz`)).status).toBe(200);
  const ready = await fetch(`${gate.managementUrl}/readyz`);
  expect(await ready.json()).toMatchObject({ mode: 'EMBEDDED', checks: { database: 'ok' } });
});
