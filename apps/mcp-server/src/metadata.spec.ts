import { issuerMetadataUrl, resourceMetadataUrl } from '@portcullis/guard/mcp/metadata';
import { modern, startRig, type Rig } from './rig.fixture.js';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
}, 60_000);
afterAll(() => rig.close());
const get = (path: string, init: RequestInit = {}) => rig.raw({ url: rig.url + path, ...init });

it('well-known paths stand before the path of what they describe (RFC 9728 §3.1, RFC 8414 §3.1)', () => {
  expect([
    resourceMetadataUrl('https://a.example/mcp'),
    resourceMetadataUrl('https://a.example'),
    issuerMetadataUrl('https://a.example/tenant'),
  ]).toEqual([
    'https://a.example/.well-known/oauth-protected-resource/mcp',
    'https://a.example/.well-known/oauth-protected-resource',
    'https://a.example/.well-known/oauth-authorization-server/tenant',
  ]);
});

it.each(['/.well-known/oauth-protected-resource/mcp', '/.well-known/oauth-protected-resource'])(
  '%s is RFC 9728 metadata that any page may read',
  async (path) => {
    const got = await get(path);
    expect([got.status, got.headers.get('access-control-allow-origin')]).toEqual([200, '*']);
    expect(got.json).toEqual({
      resource: rig.mcp,
      authorization_servers: [rig.issuer.url],
      scopes_supported: ['customer:read', 'ticket:read', 'account:calculate', 'sentiment:analyze'],
      bearer_methods_supported: ['header'],
      dpop_signing_alg_values_supported: ['ES256', 'EdDSA', 'Ed25519', 'RS256'],
      dpop_bound_access_tokens_required: false,
      resource_name: 'Portcullis',
    });
  },
);

it('mirrors the metadata of the issuer once it can be had, and says 503 until then', async () => {
  rig.issuer.setAway(true);
  const away = await get('/.well-known/oauth-authorization-server');
  expect([away.status, away.json.error, away.headers.get('retry-after')]).toEqual([503, 'overloaded', '1']);
  rig.issuer.setAway(false);
  const there = await get('/.well-known/oauth-authorization-server');
  expect([there.status, there.json.issuer, there.headers.get('access-control-allow-origin')]).toEqual([
    200,
    rig.issuer.url,
    '*',
  ]);
  rig.issuer.setAway(true);
  expect((await get('/.well-known/oauth-authorization-server')).status).toBe(200);
  rig.issuer.setAway(false);
});

it('a page asks leave for its MCP-Protocol-Version header', async () => {
  const got = await get('/.well-known/oauth-protected-resource/mcp', { method: 'OPTIONS' });
  expect([got.status, got.headers.get('access-control-allow-headers')]).toEqual([204, 'mcp-protocol-version, accept']);
});

it('is alive, ready, and says so', async () => {
  expect((await get('/healthz')).status).toBe(200);
  const ready = await rig.raw({ url: `${rig.managementUrl}/readyz` });
  expect([ready.status, ready.json]).toEqual([
    200,
    {
      status: 'ready',
      mode: 'EMBEDDED',
      checks: { events: 'ok', database: 'ok', standing: 'ok', revocations: 'ok', limiter: 'ok' },
      notes: {
        eventsLost: '0',
        scanner: 'none configured',
        standingFeed: expect.stringMatching(/^heard \d+ ms ago$/),
        revocationFeed: expect.stringMatching(/^heard \d+ ms ago$/),
      },
    },
  ]);
});

it.each(['/nothing', '/mcp/', '/MCP', '/.well-known/openid-configuration', '/admin/v1/drills'])(
  '%s is a plain 404 in JSON',
  async (path) => {
    const got = await get(path, { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } });
    expect([got.status, got.json.error]).toEqual([404, 'not_found']);
  },
);

it('while the keys of the issuer cannot be had a call is 503, for that says nothing about its token', async () => {
  rig.issuer.setAway(true);
  const got = await rig.post(modern('tools/list'));
  expect([got.status, got.json.error.code, got.headers.get('www-authenticate')]).toEqual([503, 50300, null]);
  expect(Number(got.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(rig.events.lastCall().outcome).toBe('overloaded');
});
