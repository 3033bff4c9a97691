import { principalId } from '@portcullis/contract/ids';
import { Refusal } from '@portcullis/contract/refusals';
import { jest } from '@jest/globals';
import { call, legacy, modern, startRig, type Rig, type TokenWords } from './rig.fixture.js';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
}, 60_000);
afterAll(() => rig.close());
let agents = 0;
const fresh = (words: TokenWords = {}): TokenWords => ({ client: `caller-${++agents}`, ...words });
const lookup = (id = '12345') => call('get_customer_info', { customer_id: id });

describe('every request to /mcp leaves one event', () => {
  it.each([
    [
      'an allowed call',
      lookup(),
      {},
      { outcome: 'allowed', http: 200, method: 'tools/call', tool: 'get_customer_info' },
    ],
    ['a list', modern('tools/list'), {}, { outcome: 'allowed', http: 200, method: 'tools/list' }],
    ['a discovery', modern('server/discover'), {}, { outcome: 'allowed', http: 200, method: 'server/discover' }],
    [
      'a resource',
      modern('resources/read', { uri: 'customer://12345' }),
      {},
      { outcome: 'allowed', resource: 'customer://{customer_id}', tool: 'read_customer' },
    ],
    [
      'an old handshake',
      legacy('initialize', {
        protocolVersion: '2025-03-26',
        capabilities: {},
        clientInfo: { name: 'x', version: '1' },
      }),
      {},
      { outcome: 'allowed', method: 'initialize' },
    ],
    [
      'an old notification',
      { headers: {}, body: { jsonrpc: '2.0', method: 'notifications/initialized' } },
      {},
      { outcome: 'allowed', http: 202 },
    ],
    [
      'a notification named like the discovery',
      { ...modern('server/discover'), body: { ...modern('server/discover').body, id: undefined } },
      {},
      { outcome: 'allowed', http: 202, method: 'server/discover' },
    ],
    [
      'a notification that names a tool',
      {
        headers: {},
        body: {
          ...legacy('tools/call', { name: 'delete_customer', arguments: { customer_id: '12345' } }).body,
          id: undefined,
        },
      },
      { scope: 'customer:delete', claims: { sub: 'p', auth_time: Math.floor(Date.now() / 1000) } },
      { outcome: 'allowed', http: 202, method: 'tools/call', tool: undefined },
    ],
    [
      'a step-up inside the ceiling',
      lookup(),
      { scope: 'ticket:read', ceiling: 'ticket:read customer:read' },
      { outcome: 'scope_insufficient', http: 403, denial: false },
    ],
    [
      'a reach beyond the ceiling',
      lookup(),
      { scope: 'ticket:read' },
      { outcome: 'scope_insufficient', http: 403, denial: true },
    ],
    ['an unknown tool', call('rm_rf'), {}, { outcome: 'tool_unknown', http: 200, denial: true, tool: 'rm_rf' }],
    ['bad arguments', lookup('x'), {}, { outcome: 'input_invalid', http: 200, denial: false }],
    ['a row that is not there', lookup('NOBODY'), {}, { outcome: 'row_forbidden', http: 200, denial: false }],
  ] as const)('%s', async (_name, message, words, expected) => {
    const events = rig.events.all.length;
    const { headers, status } = await rig.post(message, fresh(words));
    expect(rig.events.all.length).toBe(events + 1);
    expect(rig.events.lastCall()).toMatchObject({
      denial: false,
      http: status,
      correlationId: headers.get('x-correlation-id'),
      ...expected,
    });
  });

  it('a preflight too', async () => {
    const events = rig.events.all.length;
    await rig.raw({ method: 'OPTIONS', headers: { origin: rig.url, 'access-control-request-method': 'POST' } });
    expect([rig.events.all.length, rig.events.lastCall().http]).toEqual([events + 1, 204]);
  });

  it('the event says who called, under which id, and keeps what the caller calls the request', async () => {
    const words = fresh({ tenant: 'default' });
    await rig.post(lookup(), words, {
      'x-request-id': 'mine-1',
      'x-tool-call-id': 'call\t_1',
      traceparent: '00-a-b-01',
    });
    const event = rig.events.all.at(-1)!;
    expect(event).toMatchObject({ tenant: 'default', subject: principalId('default', words.client!) });
    expect(event.data).toMatchObject({
      clientId: words.client,
      address: '127.0.0.1',
      client: { requestId: 'mine-1', toolCallId: 'call_1', traceparent: '00-a-b-01' },
    });
    expect((event.data as { correlationId: string }).correlationId).not.toBe('mine-1');
    expect(JSON.stringify(event)).not.toContain('12345');
  });

  it('equal arguments have equal digests in one tenant, and others in another', async () => {
    const digests: unknown[] = [];
    for (const tenant of ['default', 'default', 'drill-x']) {
      await rig.post(lookup(), fresh({ tenant }));
      digests.push(rig.events.lastCall().argumentsDigest);
    }
    expect(digests[0]).toMatch(/^[0-9a-f]{64}$/);
    expect([digests[0] === digests[1], digests[0] === digests[2]]).toEqual([true, false]);
  });

  it('an answer whose event cannot be kept does not leave', async () => {
    rig.events.setFull(true);
    try {
      const got = await rig.post(lookup(), fresh());
      expect([got.status, got.json.error.code, got.json.error.data.code, got.headers.get('retry-after')]).toEqual([
        503,
        50300,
        'overloaded',
        '1',
      ]);
      expect(got.text).not.toContain('Ada');
    } finally {
      rig.events.setFull(false);
    }
  });
});

describe('limits', () => {
  it('every answer to a call says how its limit stands, so that a caller can pace itself', async () => {
    const words = fresh();
    for (const left of [59, 58]) {
      const { headers } = await rig.post(lookup(), words);
      expect([headers.get('ratelimit'), headers.get('ratelimit-policy')]).toEqual([
        `"requests";r=${left};t=60`,
        '"requests";q=60;w=60',
      ]);
    }
    const refused = await rig.post(lookup(), fresh({ claims: { aud: 'https://another.example' } }));
    expect([refused.status, refused.headers.get('ratelimit')]).toEqual([401, null]);
  });

  it('the 61st call of a minute is 429 and says when to come back', async () => {
    const words = fresh();
    for (let i = 0; i < 60; i++) expect((await rig.post(lookup(), words)).status).toBe(200);
    const got = await rig.post(lookup(), words);
    expect([got.status, got.json.error.code, got.json.error.data.code]).toEqual([429, 42900, 'rate_limited']);
    const { retryAfterMs, limitType, remaining } = got.json.error.data;
    expect([limitType, remaining]).toEqual(['requests', 0]);
    // both say when, and up to a tenth later, each in its own unit
    expect(Math.abs(Number(got.headers.get('retry-after')) - retryAfterMs / 1000)).toBeLessThanOrEqual(1);
    expect(got.headers.get('ratelimit')).toMatch(/^"requests";r=0;t=(60|59|58|57|56|55)$/);
    expect(got.headers.get('ratelimit-policy')).toBe('"requests";q=60;w=60');
    expect(got.headers.get('www-authenticate')).toBeNull();
    expect(rig.events.lastCall()).toMatchObject({ outcome: 'rate_limited', http: 429, denial: false });
    expect((await rig.post(lookup(), fresh())).status).toBe(200);
  });

  it('the 21st ticket of a minute is refused by the limit of the tool', async () => {
    const words = fresh({ scope: 'ticket:create' });
    const ticket = call('create_support_ticket', { customer_id: '67890', subject: 's', description: 'd' });
    for (let i = 0; i < 20; i++) expect((await rig.post(ticket, words)).status).toBe(200);
    const got = await rig.post(ticket, words);
    expect([got.status, got.json.error.data.limitType]).toEqual([429, 'tool_requests']);
  });

  it('a call is charged a quarter of its answer in LLM tokens, once; a list and a refusal at the first door nothing', async () => {
    const settle = jest.spyOn(rig.limiter, 'settle');
    const release = jest.spyOn(rig.limiter, 'release');
    // the memory limiter releases by settling with nothing
    const charges = () =>
      settle.mock.calls.map(([tenant, , tokens]) => [tenant, tokens]).filter(([, tokens]) => tokens);
    const got = await rig.post(lookup(), fresh());
    const llmTokens = Math.ceil(Buffer.byteLength(got.text) / 4);
    expect([charges(), release.mock.calls.length]).toEqual([[['default', llmTokens]], 0]);
    expect(rig.events.lastCall().llmTokens).toBe(llmTokens);
    await rig.post(modern('tools/list'), fresh());
    expect([charges().length, release.mock.calls.length]).toEqual([1, 1]);
    // a tool's refusal is read by the model like any other answer
    await rig.post(lookup('NOBODY'), fresh());
    await rig.post(lookup(), fresh({ scope: 'ticket:read' }));
    expect([charges().length, release.mock.calls.length]).toEqual([2, 1]);
    settle.mockRestore();
    release.mockRestore();
  });

  it('no decision is a refusal', async () => {
    const decide = jest
      .spyOn(rig.limiter, 'decide')
      .mockReturnValue(Promise.reject(new Refusal('overloaded', { retryAfterMs: 1500 })) as never);
    const got = await rig.post(lookup(), fresh());
    decide.mockRestore();
    expect([got.status, got.json.error.code, got.headers.get('retry-after')]).toEqual([503, 50300, '2']);
  });
});

describe('standing', () => {
  it('an isolated agent is 403 at the first door from the next call on, whatever it calls, and others are not', async () => {
    const words = fresh();
    expect((await rig.post(lookup(), words)).status).toBe(200);
    await rig.say('Isolated', words.client);
    for (const message of [lookup(), modern('tools/list'), modern('server/discover'), legacy('ping')]) {
      const got = await rig.post(message, words);
      expect([got.status, got.json.error.code, got.json.error.data.code]).toEqual([403, 40301, 'quarantined']);
      // no challenge: a new login cannot help
      expect(got.headers.get('www-authenticate')).toBeNull();
      expect(rig.events.lastCall()).toMatchObject({ outcome: 'quarantined', denial: false, clientId: words.client });
    }
    expect((await rig.post(lookup(), fresh())).status).toBe(200);
    expect((await rig.post(lookup(), { ...words, tenant: 'drill-other' })).status).toBe(200);
  });

  it('its body is not read', async () => {
    const words = fresh();
    await rig.say('Isolated', words.client);
    const got = await rig.post({ headers: {}, body: ['not', 'a', 'message'] }, words);
    expect(got.json.error.data.code).toBe('quarantined');
  });

  it('an agent in Remediation calls again, under half the limits', async () => {
    const words = fresh();
    await rig.say('Remediation', words.client);
    for (let i = 0; i < 30; i++) expect((await rig.post(lookup(), words)).status).toBe(200);
    expect((await rig.post(lookup(), words)).status).toBe(429);
    await rig.say('Normal', words.client);
    expect((await rig.post(lookup(), words)).status).toBe(200);
  });

  it('a message nobody understands does not stop the feed', async () => {
    const words = fresh();
    await rig.bus.publish('portcullis.standing', [
      { key: 'x', value: '{' },
      { key: 'y', value: '{"state":"Great"}' },
    ]);
    await rig.say('Compromised', words.client);
    expect((await rig.post(lookup(), words)).status).toBe(403);
  });
});

describe('step-up', () => {
  it('names all scopes the operation needs, in the body and in the challenge', async () => {
    const got = await rig.post(
      call('get_recent_customers', { limit: 50 }),
      fresh({ scope: 'customer:read', ceiling: 'customer:read customer:list' }),
    );
    expect(got.json.error.data).toMatchObject({
      code: 'scope_insufficient',
      scopes: ['customer:read', 'customer:list'],
    });
    const challenge = got.headers.get('www-authenticate');
    expect(challenge).toContain('error="insufficient_scope"');
    expect(challenge).toContain('scope="customer:read customer:list"');
    expect(challenge).toContain('resource_metadata="');
  });

  it('a scope that covers another is enough', async () => {
    expect((await rig.post(lookup(), fresh({ scope: 'customer:write' }))).json.result.isError).toBeUndefined();
  });

  it('a deletion needs a login at most 5 minutes old', async () => {
    const seconds = Math.floor(Date.now() / 1000);
    const remove = call('delete_customer', { customer_id: 'NOBODY' });
    for (const [auth_time, http] of [
      [undefined, 401],
      [seconds - 400, 401],
      [seconds - 200, 200],
    ] as const) {
      const got = await rig.post(remove, fresh({ scope: 'customer:delete', claims: { sub: 'person', auth_time } }));
      expect(got.status).toBe(http);
      if (http === 401) {
        expect(got.json.error.code).toBe(40102);
        expect(got.headers.get('www-authenticate')).toContain('error="insufficient_user_authentication"');
        expect(got.headers.get('www-authenticate')).toContain('max_age="300"');
      }
    }
  });
});

describe('web pages', () => {
  it('a page of an allowed origin asks leave before it has a token', async () => {
    const got = await rig.raw({
      method: 'OPTIONS',
      headers: {
        origin: 'http://localhost:6274',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,mcp-method,mcp-param-region,x-evil',
      },
    });
    expect([got.status, got.headers.get('access-control-allow-origin')]).toEqual([204, 'http://localhost:6274']);
    const may = got.headers.get('access-control-allow-headers')!.split(', ');
    expect(may).toEqual(
      expect.arrayContaining([
        'authorization',
        'content-type',
        'mcp-protocol-version',
        'mcp-method',
        'mcp-name',
        'mcp-param-region',
      ]),
    );
    expect(may).not.toContain('x-evil');
  });

  it.each(['https://evil.example', 'null', 'http://localhost.evil.example'])(
    'a page of %s gets no leave',
    async (origin) => {
      const got = await rig.raw({ method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST' } });
      expect([got.status, got.headers.get('access-control-allow-origin')]).toEqual([403, null]);
    },
  );

  it('an allowed page may read refusals and their challenge', async () => {
    const got = await rig.raw({ method: 'POST', headers: { origin: rig.url } });
    expect([got.status, got.headers.get('access-control-allow-origin')]).toEqual([401, rig.url]);
    const readable = got.headers.get('access-control-expose-headers')!.split(', ');
    expect(readable).toEqual(expect.arrayContaining(['WWW-Authenticate', 'Retry-After', 'DPoP-Nonce']));
  });
});

describe('our own faults', () => {
  it('a fault before the tool is a bare 500', async () => {
    const decide = jest.spyOn(rig.limiter, 'decide').mockImplementation(() => {
      throw new TypeError('password=hunter2');
    });
    const got = await rig.post(lookup(), fresh());
    decide.mockRestore();
    expect([got.status, got.json.error.code, got.json.error.data.code]).toEqual([500, -32603, 'internal']);
    expect(got.text).not.toContain('hunter2');
    expect(rig.events.lastCall()).toMatchObject({ outcome: 'internal', http: 500, denial: false });
    expect(JSON.stringify(rig.events.lastCall())).not.toContain('hunter2');
  });

  it('a tool that fails says that it failed, and nothing of why', async () => {
    await rig.database.close();
    const got = await rig.post(lookup(), fresh());
    expect([got.status, got.json.result.isError]).toEqual([200, true]);
    expect(got.json.result._meta['portcullis/refusal'].code).toBe('tool_failed');
    expect(got.text).not.toMatch(/pglite|closed|database|sql/i);
    expect(rig.events.lastCall()).toMatchObject({ outcome: 'tool_failed', http: 200 });
    const read = await rig.post(modern('resources/read', { uri: 'customer://12345' }), fresh());
    expect([read.status, read.json.error.code, read.json.error.data.code]).toEqual([200, -32603, 'tool_failed']);
    const ready = await rig.raw({ url: `${rig.managementUrl}/readyz` });
    expect([ready.status, ready.json.checks.database]).toEqual([503, 'failed']);
  });
});
