import { status } from '@grpc/grpc-js';
import { LEASE_MS } from '@portcullis/limits/rule-table';
import { descriptor, rpcClient, type RpcClient, type SentRequest } from './grpc.fixture.js';
import { startIssuer, startService, type Claims, type Issuer } from './service.fixture.js';

let issuer: Issuer;
let service: Awaited<ReturnType<typeof startService>>;
let client: RpcClient;
beforeAll(async () => {
  issuer = await startIssuer();
});
afterAll(() => issuer.close());
beforeEach(async () => {
  service = await startService(issuer);
  client = rpcClient(service.grpc!);
});
afterEach(async () => {
  client.close();
  await service.close();
});

const bearer = async (claims?: Claims) => ({ authorization: `Bearer ${await service.token(claims)}` });
const ask = async (request: SentRequest, claims?: Claims) => client.ask(request, await bearer(claims));
const ticket = { principal: 'agt_one', tool: 'create_support_ticket' };
const asking = (entries: Parameters<typeof descriptor>[0], more: object = {}): SentRequest => ({
  domain: 'default',
  descriptors: [descriptor(entries)],
  ...more,
});
/** What is left of the principal's LLM tokens; asking for more than there can be takes nothing. */
const tokensLeft = async (tenant = 'default') =>
  (await service.limiter.decide({ tenant, principal: 'agt_one', llmTokens: 1_000_000 })).remaining;

describe('what Envoy is answered', () => {
  test('that it passes, with the limit that is tightest, what is left of it and the headers to add', async () => {
    const { code, reply } = await ask(asking(ticket));
    expect(code).toBe(status.OK);
    expect(reply).toMatchObject({
      overallCode: 'OK',
      statuses: [
        {
          code: 'OK',
          currentLimit: { name: 'tool-requests-20', requestsPerUnit: 20, unit: 'MINUTE' },
          limitRemaining: 19,
          durationUntilReset: { seconds: 60, nanos: 0 },
        },
      ],
      responseHeadersToAdd: [
        { key: 'ratelimit', value: '"tool-requests-20";r=19;t=60' },
        { key: 'ratelimit-policy', value: '"tool-requests-20";q=20;w=60' },
      ],
    });
  });

  test('that it is over the limit, how long to wait, and a Retry-After of no less', async () => {
    for (let i = 0; i < 20; i++) expect((await ask(asking(ticket))).reply.overallCode).toBe('OK');
    service.clock.at += 1_500;
    const { reply } = await ask(asking(ticket));
    expect(reply).toMatchObject({ overallCode: 'OVER_LIMIT' });
    expect(reply.statuses).toMatchObject([
      { code: 'OVER_LIMIT', limitRemaining: 0, durationUntilReset: { seconds: 58, nanos: 500_000_000 } },
    ]);
    const headers = new Map<string, string>(reply.responseHeadersToAdd.map(({ key, value }: any) => [key, value]));
    expect(headers.get('ratelimit')).toBe('"tool-requests-20";r=0;t=59');
    expect(Number(headers.get('retry-after'))).toBeGreaterThanOrEqual(59);
    expect(Number(headers.get('retry-after'))).toBeLessThanOrEqual(65);
  });

  test('the same windows count, whichever way is asked', async () => {
    await ask(asking(ticket));
    expect((await service.post('/v1/decide', ticket)).body).toMatchObject({ allowed: true, remaining: 18 });
    expect((await ask(asking(ticket))).reply.statuses[0].limitRemaining).toBe(17);
  });

  test('several descriptors are asked in their order, until one is over its limit', async () => {
    const other = { principal: 'agt_two', tool: 'create_support_ticket', llm_tokens: '5000' };
    const both = {
      descriptors: [descriptor({ ...ticket, llm_tokens: '90000' }), descriptor(other), descriptor(ticket)],
    };
    for (let i = 0; i < 20; i++) await ask(asking({ ...other, llm_tokens: '0' }));
    const { reply } = await ask(both);
    expect(reply.overallCode).toBe('OVER_LIMIT');
    expect(reply.statuses.map(({ code }: any) => code)).toEqual(['OK', 'OVER_LIMIT', 'UNKNOWN']);
    expect(await tokensLeft()).toBe(100_000);
    expect((await ask(asking(ticket))).reply.statuses[0].limitRemaining).toBe(18);
  });
});

describe('what descriptors say', () => {
  test('the amounts that were used, as numbers or as hits, the descriptor`s own before the request`s', async () => {
    await ask(asking({ principal: 'agt_one', llm_tokens: '1000' }));
    await ask(asking({ principal: 'agt_one', llm_tokens: 'hits_addend' }, { hitsAddend: 2_000 }));
    const own = { ...descriptor({ principal: 'agt_one', llm_tokens: 'hits_addend' }), hitsAddend: { value: 4_000 } };
    await ask({ descriptors: [own], hitsAddend: 9_999 });
    await ask(asking({ principal: 'agt_one', llm_tokens: 'hits_addend' }));
    expect(await tokensLeft()).toBe(100_000 - 1_000 - 2_000 - 4_000 - 1);
  });

  test('a call that says nothing of its tokens has used none, and is refused all the same when none are left', async () => {
    await ask(asking({ principal: 'agt_one', tool: 'get_customer_info' }));
    expect(await tokensLeft()).toBe(100_000);
    await ask(asking({ principal: 'agt_one', llm_tokens: '99800' }));
    const { reply } = await ask(asking({ principal: 'agt_one', tool: 'get_customer_info' }));
    expect(reply).toMatchObject({
      overallCode: 'OVER_LIMIT',
      statuses: [{ currentLimit: { name: 'llm-tokens', unit: 'HOUR' } }],
    });
  });

  test('nothing stays to be settled: a lease of a call is over with its answer', async () => {
    for (let i = 0; i < 5; i++) await ask(asking(ticket));
    expect((service.limiter as unknown as { stats(): { leases: number } }).stats().leases).toBe(0);
    service.clock.at += LEASE_MS;
    expect(await tokensLeft()).toBe(100_000);
  });

  test('an arrival is counted as one', async () => {
    const { reply } = await ask(asking({ principal: 'agt_one', stage: 'arrival' }));
    expect(reply.statuses[0]).toMatchObject({ currentLimit: { name: 'arrivals' }, limitRemaining: 179 });
  });

  test.each<[string, SentRequest, string]>([
    ['no descriptor', { domain: 'default' }, 'descriptors: is empty'],
    ['too many', { descriptors: Array.from({ length: 9 }, () => descriptor(ticket)) }, 'descriptors: are more than 8'],
    ['an unknown key', asking({ ...ticket, color: 'red' }), 'descriptors[0]."color"'],
    [
      'the key __proto__',
      { descriptors: [{ entries: [{ key: '__proto__', value: 'x' }] }] },
      'descriptors[0]."__proto__"',
    ],
    ['an empty key', { descriptors: [{ entries: [{ key: '', value: 'x' }] }] }, 'descriptors[0].""'],
    ['no principal', asking({ tool: 'x' }), 'descriptors[0].principal'],
    ['no entries', { descriptors: [{ entries: [] }] }, 'descriptors[0].principal'],
    ['an empty principal', asking({ principal: '' }), 'descriptors[0].principal'],
    [
      'a key twice',
      { descriptors: [descriptor({ principal: ['a', 'b'] })] },
      'descriptors[0].principal: is there twice',
    ],
    [
      'two addresses',
      asking({ principal: 'p', address: '::1', remote_address: '::2' }),
      'remote_address: is there twice',
    ],
    ['a name that is too long', asking({ principal: 'p', tool: 'x'.repeat(129) }), 'descriptors[0].tool'],
    ['an unknown stage', asking({ principal: 'p', stage: 'later' }), 'descriptors[0].stage'],
    ['a chain of four', asking({ principal: 'p', chain: ['a', 'b', 'c', 'd'] }), 'descriptors[0].chain'],
    ['negative tokens', asking({ principal: 'p', llm_tokens: '-1' }), 'descriptors[0].llm_tokens'],
    ['half a token', asking({ principal: 'p', llm_tokens: '0.5' }), 'descriptors[0].llm_tokens'],
    ['tokens that are no number', asking({ principal: 'p', llm_tokens: 'NaN' }), 'descriptors[0].llm_tokens'],
    ['a huge cost', asking({ principal: 'p', cost_micros: '9999999999' }), 'descriptors[0].cost_micros'],
    [
      'a cost beyond all numbers',
      asking({ principal: 'p', cost_micros: '9'.repeat(400) }),
      'descriptors[0].cost_micros',
    ],
    [
      'huge hits',
      asking({ principal: 'p', llm_tokens: 'hits_addend' }, { hitsAddend: 4e9 }),
      'descriptors[0].llm_tokens',
    ],
    ['hits that count nothing', asking(ticket, { hitsAddend: 5 }), 'descriptors[0].hits_addend'],
    [
      'a limit of its own',
      { descriptors: [{ ...descriptor(ticket), limit: { requestsPerUnit: 9 } }] },
      'descriptors[0].limit',
    ],
    ['a domain that is none', { ...asking(ticket), domain: 'No/Slug' }, 'descriptors[0].domain'],
  ])('%s is an invalid argument, says where, and takes nothing', async (_what, request, says) => {
    const { code, details } = await ask(request);
    expect(code).toBe(status.INVALID_ARGUMENT);
    expect(details).toContain('input_invalid: ');
    expect(details).toContain(says);
    expect((await ask(asking(ticket))).reply.statuses[0].limitRemaining).toBe(19);
  });
});

describe('who asks', () => {
  test.each<[string, (token: string) => Record<string, string>, number, string]>([
    ['no token', () => ({}), status.UNAUTHENTICATED, 'token_missing'],
    ['a word that is none', () => ({ authorization: 'Bearer x' }), status.UNAUTHENTICATED, 'token_invalid'],
    ['a token in another header', (token) => ({ 'x-token': token }), status.UNAUTHENTICATED, 'token_missing'],
    [
      'a token under another scheme',
      (token) => ({ authorization: `DPoP ${token}` }),
      status.UNAUTHENTICATED,
      'token_invalid',
    ],
  ])('%s is refused before its message is looked at', async (_what, headers, code, error) => {
    const answer = await client.ask({}, headers(await service.token()));
    expect(answer).toMatchObject({ code, details: expect.stringContaining(`${error}: `) });
    expect(answer.metadata.get('www-authenticate')[0]).toMatch(/scope="limits:decide"/);
    expect(String(answer.metadata.get('x-correlation-id')[0])).toMatch(/^[0-9a-f-]{36}$/);
  });

  test.each<[string, Claims, number, string]>([
    ['without the scope', { scope: 'limits:admin' }, status.PERMISSION_DENIED, 'scope_insufficient'],
    ['for another API', { aud: 'http://127.0.0.1:4401/mcp' }, status.UNAUTHENTICATED, 'token_invalid'],
    ['that has expired', { exp: 1_600_000_000 }, status.UNAUTHENTICATED, 'token_invalid'],
  ])('a token %s is refused', async (_what, claims, code, error) => {
    expect(await ask(asking(ticket), claims)).toMatchObject({ code, details: expect.stringContaining(`${error}: `) });
  });

  test('the domain is the tenant of the token or empty; another tenant`s is forbidden, whether it is there or not', async () => {
    const acme = { tenant: 'acme' };
    for (const domain of ['default', 'nobody']) {
      expect(await ask({ ...asking(ticket), domain }, acme)).toMatchObject({
        code: status.PERMISSION_DENIED,
        details: expect.stringContaining('tenant_forbidden'),
      });
    }
    for (const domain of ['', 'acme']) expect((await ask({ ...asking(ticket), domain }, acme)).code).toBe(status.OK);
    expect((await ask(asking(ticket))).reply.statuses[0].limitRemaining).toBe(19);
  });

  test('a service of all tenants says by the domain which it means', async () => {
    const all = { tenant: 'default', all_tenants: true };
    for (const left of [19, 18]) {
      expect((await ask({ ...asking(ticket), domain: 'acme' }, all)).reply.statuses[0].limitRemaining).toBe(left);
    }
    expect((await ask({ ...asking(ticket), domain: '' }, all)).reply.statuses[0].limitRemaining).toBe(19);
  });
});
