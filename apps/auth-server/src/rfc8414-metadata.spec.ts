import { startGate, world, type Gate } from './gate.fixture.js';

const ISSUER = 'https://auth.example';
let gate: Gate;
beforeAll(async () => {
  gate = await startGate(await world(), {}, { AUTH_ISSUER: ISSUER });
}, 60_000);
afterAll(async () => {
  await gate.close();
  await gate.database.close();
});

const document = async (path: string) => {
  const response = await fetch(gate.url + path);
  return { response, metadata: (await response.json()) as Record<string, unknown> };
};
const metadataOf = async () => (await document('/.well-known/oauth-authorization-server')).metadata;
const endpoints = (metadata: Record<string, unknown>) =>
  Object.entries(metadata).filter(([name]) => /_(?:endpoint|uri)$/.test(name)) as [string, string][];

test('the document is 200 and application/json, at the path made of the issuer (§3, §3.2)', async () => {
  const { response, metadata } = await document('/.well-known/oauth-authorization-server');
  expect([response.status, response.headers.get('content-type')]).toEqual([
    200,
    expect.stringMatching(/^application\/json/),
  ]);
  expect(metadata.issuer).toBe(ISSUER);
});

test('what a client needs for the code grant is in it, and nothing is empty (§2, §3.2)', async () => {
  const metadata = await metadataOf();
  for (const name of ['issuer', 'authorization_endpoint', 'token_endpoint', 'jwks_uri', 'response_types_supported'])
    expect(metadata).toHaveProperty(name);
  for (const value of Object.values(metadata)) if (Array.isArray(value)) expect(value.length).toBeGreaterThan(0);
});

test('every endpoint is https below the issuer, without query or fragment (§2, RFC 6749 §3.1, §3.2)', async () => {
  const found = endpoints(await metadataOf());
  expect(found.map(([name]) => name)).toEqual(expect.arrayContaining(['authorization_endpoint', 'jwks_uri']));
  for (const [, url] of found) {
    const { origin, search, hash, protocol } = new URL(url);
    expect([origin, search, hash, protocol]).toEqual([ISSUER, '', '', 'https:']);
    expect(url).not.toMatch(/[?#]/);
  }
});

test('where assertions prove who a client is, their algorithms are named, RS256 among them, none never (§2)', async () => {
  const metadata = await metadataOf();
  const methods = Object.entries(metadata).filter(([name]) => name.endsWith('_endpoint_auth_methods_supported'));
  expect(methods.map(([name]) => name)).toContain('token_endpoint_auth_methods_supported');
  for (const [name, supported] of methods) {
    if (!(supported as string[]).includes('private_key_jwt')) continue;
    // RFC 8414 lets an endpoint that says nothing of its own be as the token endpoint is
    const algorithms =
      metadata[name.replace('_methods_', '_signing_alg_values_')] ??
      metadata.token_endpoint_auth_signing_alg_values_supported;
    expect(algorithms).toEqual(expect.arrayContaining(['ES256', 'RS256']));
    expect(algorithms).not.toContain('none');
  }
});

test('each key of the set says what it is for (§2)', async () => {
  const { metadata } = await document('/jwks');
  const keys = metadata.keys as { use?: string }[];
  expect(keys.length).toBeGreaterThan(0);
  for (const { use } of keys) expect(use).toBe('sig');
});

test('only GET asks for it', async () => {
  const response = await fetch(`${gate.url}/.well-known/oauth-authorization-server`, { method: 'POST' });
  expect(response.status).toBe(404);
});
