import { startIssuer, startService, type Claims, type Issuer } from './service.fixture.js';

let issuer: Issuer;
let service: Awaited<ReturnType<typeof startService>>;
beforeAll(async () => {
  issuer = await startIssuer();
  service = await startService(issuer);
});
afterAll(async () => {
  await service.close();
  await issuer.close();
});

const OWN = { tenant: 'acme' };
const ALL = { tenant: 'default', all_tenants: true };
const costly = (principal: string) => ({ principal, llmTokens: 100_000 });
const decide = async (body: object, claims: Claims) => (await service.post('/v1/decide', body, claims)).body;

test('a service of all tenants asks about the one it names, and about its own when it names none', async () => {
  expect(await decide({ principal: 'a', tenant: 'acme' }, ALL)).toMatchObject({ allowed: true, remaining: 59 });
  expect(await decide({ principal: 'a' }, OWN)).toMatchObject({ remaining: 58 });
  expect(await decide({ principal: 'a' }, ALL)).toMatchObject({ remaining: 59 });
  expect(await service.limiter.decide({ tenant: 'default', principal: 'a' })).toMatchObject({ remaining: 58 });
});

test('it settles and releases what it took there, once, and only in that tenant', async () => {
  const { lease } = await decide({ ...costly('b'), tenant: 'acme' }, ALL);
  expect((await service.post('/v1/settle', { lease, llmTokens: 0 }, ALL)).body).toEqual({ settled: false });
  expect((await service.post('/v1/release', { lease }, ALL)).body).toEqual({ released: false });
  const settled = await service.post('/v1/settle', { lease, llmTokens: 1_000, tenant: 'acme' }, ALL);
  expect(settled.body).toEqual({ settled: true });
  const other = await decide({ principal: 'b', llmTokens: 99_000, tenant: 'acme' }, ALL);
  const released = await service.post('/v1/release', { lease: other.lease, tenant: 'acme' }, ALL);
  expect(released.body).toEqual({ released: true });
});

describe.each([
  ['with a token of its own tenant', OWN, 403, 'tenant_forbidden'],
  [
    'with scopes of people besides',
    { ...OWN, scope: 'limits:decide limits:admin platform:admin' },
    403,
    'tenant_forbidden',
  ],
  ['with a claim that is no such word', { ...OWN, all_tenants: 'true' }, 401, 'token_invalid'],
  [
    'in the name of a person, whatever the token says',
    { ...OWN, sub: 'usr_1', all_tenants: true },
    403,
    'tenant_forbidden',
  ],
])('a caller %s', (_who, claims, status, error) => {
  test.each(['default', 'no-such-tenant'])('is refused the tenant %s, and nothing is taken there', async (tenant) => {
    const before = await service.limiter.decide({ tenant, principal: 'c' });
    const lease = before.allowed ? before.lease : '';
    for (const [path, body] of [
      ['/v1/decide', { principal: 'c', tenant }],
      ['/v1/settle', { lease, llmTokens: 0, tenant }],
      ['/v1/release', { lease, tenant }],
    ] as const) {
      expect(await service.post(path, body, claims)).toMatchObject({ status, body: { error } });
    }
    expect(await service.limiter.release(tenant, lease)).toBe(true);
    const after = await service.limiter.decide({ tenant, principal: 'c' });
    expect(after.remaining).toBe(before.remaining - 1);
  });
});

test('a tenant that a caller names and that is its own is no other', async () => {
  expect(await decide({ principal: 'd', tenant: 'acme' }, OWN)).toMatchObject({ allowed: true });
});
