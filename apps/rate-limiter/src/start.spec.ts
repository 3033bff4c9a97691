import { Refusal } from '@portcullis/contract/refusals';
import type { Limiter } from '@portcullis/limits/limiter';
import { HOUSE_TABLE } from '@portcullis/limits/rules';
import { startIssuer, startService, type Issuer } from './service.fixture.js';

let issuer: Issuer;
let service: Awaited<ReturnType<typeof startService>>;
beforeAll(async () => {
  issuer = await startIssuer();
});
afterAll(() => issuer.close());
beforeEach(async () => {
  service = await startService(issuer);
});
afterEach(() => service.close());

const question = { principal: 'agt_one', tool: 'create_support_ticket' };

describe('who may ask', () => {
  const ROUTES = [
    ['POST', '/v1/decide'],
    ['POST', '/v1/settle'],
    ['POST', '/v1/release'],
    ['GET', '/v1/rules'],
  ];

  test.each(ROUTES)('%s %s without a token is 401 and names the scope to ask for', async (method, path) => {
    const answer = await service.send(path!, { method: method! });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer realm="portcullis", scope="limits:decide", DPoP /);
    expect(answer.body).toMatchObject({ error: 'token_missing', correlation_id: expect.any(String) });
  });

  test.each(ROUTES)('%s %s with a token that lacks the scope is 403 and names it', async (method, path) => {
    const headers = { authorization: `Bearer ${await service.token({ scope: 'limits:admin' })}` };
    const answer = await service.send(path!, { method: method!, headers });
    expect(answer.status).toBe(403);
    expect(answer.headers.get('www-authenticate')).toMatch(/error="insufficient_scope".*scope="limits:decide"/);
    expect(answer.body).toMatchObject({ error: 'scope_insufficient', scopes: ['limits:decide'] });
  });

  test.each([
    ['for another API', { aud: 'http://127.0.0.1:4401/mcp' }, undefined],
    ['for the service without its path', { aud: 'http://127.0.0.1' }, undefined],
    ['of another issuer', { iss: 'http://evil.example' }, undefined],
    ['that has expired', { exp: 1_600_000_000 }, undefined],
    ['that is an id token', {}, 'JWT'],
    ['without a tenant', { tenant: undefined }, undefined],
  ])('a token %s is 401 and decides nothing', async (_what, claims, typ) => {
    const headers = { authorization: `Bearer ${await service.token(claims, typ)}`, 'content-type': 'application/json' };
    const answer = await service.send('/v1/decide', { method: 'POST', headers, body: JSON.stringify(question) });
    expect(answer).toMatchObject({ status: 401, body: { error: 'token_invalid' } });
    expect(await service.limiter.decide(question)).toMatchObject({ remaining: 19 });
  });

  test('a token of another key is 401', async () => {
    const forger = await startIssuer();
    const forged = await startService(forger);
    const headers = { authorization: `Bearer ${await forged.token({ iss: issuer.url, aud: `${service.url}/v1` })}` };
    expect((await service.send('/v1/rules', { headers })).status).toBe(401);
    await forged.close();
    await forger.close();
  });

  test('health needs no token', async () => {
    expect(await service.send('/healthz', {})).toMatchObject({ status: 200, body: { status: 'alive' } });
  });
});

describe('decide', () => {
  test('both verdicts are 200, and the refusal says which limit and how long to wait', async () => {
    for (let left = 19; left >= 0; left--) {
      const answer = await service.post('/v1/decide', question);
      expect(answer.status).toBe(200);
      expect(answer.body).toEqual({
        ...{ allowed: true, lease: expect.stringMatching(/^[\w-]{22}$/) },
        ...{ remaining: left, limit: 20, resetMs: 60_000, windowMs: 60_000, rule: 'tool-requests-20', rulesVersion: 0 },
      });
    }
    service.clock.at += 1_500;
    const refused = await service.post('/v1/decide', question);
    expect(refused.status).toBe(200);
    expect(refused.body).toEqual({
      allowed: false,
      limitType: 'tool_requests',
      limit: 20,
      remaining: 0,
      retryAfterMs: 58_500,
      resetMs: 58_500,
      windowMs: 60_000,
      rule: 'tool-requests-20',
      rulesVersion: 0,
    });
    service.clock.at += 58_500;
    expect((await service.post('/v1/decide', question)).body).toMatchObject({ allowed: true });
  });

  test('it answers from the instance it was given', async () => {
    for (let i = 0; i < 15; i++) await service.limiter.decide({ tenant: 'default', ...question });
    expect((await service.post('/v1/decide', question)).body).toMatchObject({ allowed: true, remaining: 4 });
  });

  test('questions asked at once are admitted up to the limit and no further', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => service.post('/v1/decide', question)));
    expect(answers.map(({ status }) => status)).toEqual(Array(50).fill(200));
    expect(answers.filter(({ body }) => body.allowed)).toHaveLength(20);
  });

  test('the tenant is the one of the token, whether the body names it or not', async () => {
    const acme = { tenant: 'acme' };
    expect((await service.post('/v1/decide', question, acme)).body).toMatchObject({ remaining: 19 });
    expect((await service.post('/v1/decide', { ...question, ...acme }, acme)).body).toMatchObject({ remaining: 18 });
    expect((await service.post('/v1/decide', question)).body).toMatchObject({ remaining: 19 });
    expect(await service.limiter.decide({ ...acme, ...question })).toMatchObject({ remaining: 17 });
  });

  test('another tenant in the body is 403 and takes nothing there, whatever the scopes', async () => {
    const scope = 'limits:decide limits:admin platform:admin';
    for (const tenant of ['acme', 'no-such-tenant']) {
      const answer = await service.post('/v1/decide', { ...question, tenant }, { scope });
      expect(answer).toMatchObject({ status: 403, body: { error: 'tenant_forbidden' } });
    }
    expect(await service.limiter.decide({ tenant: 'acme', ...question })).toMatchObject({ remaining: 19 });
  });

  test('a share and a cost of LLM tokens count', async () => {
    const half = { principal: 'agt_one', llmTokens: 50_000, share: 0.5 };
    expect((await service.post('/v1/decide', half)).body).toMatchObject({ allowed: true, remaining: 29 });
    expect((await service.post('/v1/decide', half)).body).toMatchObject({ limitType: 'llm_tokens', limit: 50_000 });
    expect((await service.post('/v1/decide', { ...half, llmTokens: 100_001, share: 1 })).body).toMatchObject({
      allowed: false,
      impossible: true,
    });
  });

  test('a limiter that cannot decide is 503 with Retry-After, never a yes', async () => {
    const full = limiterThat({
      decide: () => Promise.reject(new Refusal('overloaded', { retryAfterMs: 1_000 }, { detail: 'full for default' })),
    });
    const other = await startService(issuer, full);
    const answer = await other.post('/v1/decide', question);
    expect(answer).toMatchObject({ status: 503, body: { error: 'overloaded' } });
    expect(answer.headers.get('retry-after')).toBe('1');
    expect(JSON.stringify(answer.body)).not.toContain('full for');
    await other.close();
  });
});

describe('settle and release', () => {
  const costly = { principal: 'agt_one', llmTokens: 100_000 };
  const leaseOf = async (): Promise<string> => (await service.post('/v1/decide', costly)).body.lease;

  test('a settlement gives back what was not used, once', async () => {
    const lease = await leaseOf();
    expect(await service.post('/v1/settle', { lease, llmTokens: 40_000 })).toMatchObject({
      status: 200,
      body: { settled: true },
    });
    expect((await service.post('/v1/settle', { lease, llmTokens: 0 })).body).toEqual({ settled: false });
    expect((await service.post('/v1/release', { lease })).body).toEqual({ released: false });
    expect((await service.post('/v1/decide', { ...costly, llmTokens: 60_001 })).body).toMatchObject({ allowed: false });
    expect((await service.post('/v1/decide', { ...costly, llmTokens: 60_000 })).body).toMatchObject({ allowed: true });
  });

  test('a settlement passes its cost on, where it names one', async () => {
    const settled: unknown[] = [];
    const limiter = limiterThat({ settle: (...words) => (settled.push(words), true) });
    const other = await startService(issuer, limiter);
    await other.post('/v1/settle', { lease: 'x', llmTokens: 1, costMicros: 2 });
    await other.post('/v1/settle', { lease: 'x', llmTokens: 1 });
    await other.close();
    expect(settled).toEqual([
      ['default', 'x', 1, 2, 'client gateway'],
      ['default', 'x', 1, undefined, 'client gateway'],
    ]);
  });

  test('a release gives all of it back, once', async () => {
    const lease = await leaseOf();
    expect(await service.post('/v1/release', { lease })).toMatchObject({ status: 200, body: { released: true } });
    expect((await service.post('/v1/release', { lease })).body).toEqual({ released: false });
    expect((await service.post('/v1/decide', costly)).body).toMatchObject({ allowed: true, remaining: 58 });
  });

  test("another tenant's lease answers as one that nobody has", async () => {
    const lease = await leaseOf();
    const acme = { tenant: 'acme' };
    for (const each of [lease, 'AAAAAAAAAAAAAAAAAAAAAA']) {
      expect((await service.post('/v1/settle', { lease: each, llmTokens: 0 }, acme)).body).toEqual({ settled: false });
      expect((await service.post('/v1/release', { lease: each }, acme)).body).toEqual({ released: false });
    }
    expect((await service.post('/v1/settle', { lease, llmTokens: 0 })).body).toEqual({ settled: true });
  });
});

test('the rules are the table with its version', async () => {
  const headers = { authorization: `Bearer ${await service.token()}` };
  const { body } = await service.send('/v1/rules', { headers });
  expect(body).toEqual({ ...HOUSE_TABLE, leaseMs: 120_000 });
  expect(body.rules.map(({ id }: { id: string }) => id)).toContain('tool-requests-20');
});

describe('the management port', () => {
  const managed = async (path: string) => (await fetch(`${service.managementUrl}${path}`)).text();

  test('says that the limiter is there, and that this is embedded mode', async () => {
    expect(JSON.parse(await managed('/readyz'))).toEqual({
      status: 'ready',
      mode: 'EMBEDDED',
      checks: { events: 'ok', limiter: 'ok', standing: 'ok', revocations: 'ok', rules: 'ok' },
      notes: {
        ...{ eventsLost: '0', rules: 'version 0 is in force' },
        ...{ standingFeed: 'no heartbeat was heard', revocationFeed: 'no heartbeat was heard' },
      },
    });
  });

  test('is not ready when the limiter fails, and does not say why', async () => {
    const broken = limiterThat({ release: () => Promise.reject(new Error('redis.internal is down')) });
    const other = await startService(issuer, broken);
    const answer = await fetch(`${other.managementUrl}/readyz`);
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ status: 'not-ready', checks: { limiter: 'failed' } });
    await other.close();
  });

  test('counts decisions by outcome', async () => {
    for (let i = 0; i < 22; i++) await service.post('/v1/decide', question);
    const metrics = await managed('/metrics');
    expect(metrics).toMatch(/portcullis_limit_decisions_total\{outcome="allowed",service="rate-limiter"\} 20\n/);
    expect(metrics).toMatch(/portcullis_limit_decisions_total\{outcome="tool_requests",service="rate-limiter"\} 2\n/);
    expect(metrics).toMatch(/portcullis_limit_decisions_total\{outcome="failed",service="rate-limiter"\} 0\n/);
  });
});

test('closing is safe to do twice, and frees the port', async () => {
  await Promise.all([service.close(), service.close()]);
  await expect(service.send('/healthz', {})).rejects.toThrow();
});

/** A limiter that does what is given, and must not be asked for anything else. */
function limiterThat(does: Partial<Limiter>): Limiter {
  const unasked = () => Promise.reject(new Error('not asked for here'));
  return { decide: unasked, settle: unasked, release: unasked, close: unasked, ...does };
}
