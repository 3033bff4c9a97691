import { randomBytes } from 'node:crypto';
import { Refusal } from '@portcullis/contract/refusals';
import { Secret } from '@portcullis/contract/secret';
import { AwayMemory } from '@portcullis/limits/away.memory';
import { limiterContract } from '@portcullis/limits/limiter.contract';
import { limiterHistoryContract } from '@portcullis/limits/limiter.history.contract';
import { httpLimiter, type HttpLimiterParts } from '@portcullis/limits/limiter.http';
import { memoryLimiter } from '@portcullis/limits/limiter.memory';
import { apart } from '@portcullis/limits/limiter.redis.fixture';
import { limiterRulesContract } from '@portcullis/limits/limiter.rules.contract';
import type { Limiter } from '@portcullis/limits/limiter';
import type { RuleTable } from '@portcullis/limits/rule-table';
import { HOUSE_TABLE } from '@portcullis/limits/rules';
import { fetchInside } from '@portcullis/service/fetch-inside.http';
import { startIssuer, startService, type Claims, type Issuer } from './service.fixture.js';

/** The limiters behind the one service, each with a clock and rules of its own; the tenant says which. */
const behind: Limiter[] = [];
const of = (tenant = ''): Limiter => behind[Number(/^t(\d+)-/.exec(tenant)?.[1])]!;
const routed: Limiter = {
  decide: (question, taker) => of(question.tenant).decide(question, taker),
  settle: (tenant, ...words) => of(tenant).settle(tenant, ...words),
  release: (tenant, ...words) => of(tenant).release(tenant, ...words),
  close: async () => {},
};

let issuer: Issuer;
let service: Awaited<ReturnType<typeof startService>>;
beforeAll(async () => {
  issuer = await startIssuer();
  service = await startService(issuer, routed);
});
afterAll(async () => {
  await service.close();
  await issuer.close();
});

const ALL = { all_tenants: true, sub: 'mcp', client_id: 'mcp' };
/** A limiter that asks the service with tokens of these claims, and waits for as long as a busy machine may take. */
function asking(claims: Claims = ALL, more: Partial<HttpLimiterParts> = {}): Limiter {
  let signed: Promise<Secret> | undefined;
  return httpLimiter({
    url: service.url,
    post: fetchInside,
    tokens: {
      token: () => (signed ??= service.token(claims).then((token) => new Secret(token))),
      refused: () => false,
    },
    deadlineMs: 30_000,
    now: () => performance.now(),
    random: randomBytes,
    away: new AwayMemory(1, 1_000),
    ...more,
  });
}

let fresh = 0;
function behindOne(now: () => number, table: RuleTable = HOUSE_TABLE): () => string {
  const at = behind.push(memoryLimiter({ now, random: randomBytes, table: () => table })) - 1;
  return () => `t${at}-${(fresh += 1)}`;
}
const make = async (now: () => number, table?: RuleTable) => apart(asking(), behindOne(now, table));

limiterContract('http', make);
limiterRulesContract('http', make);
limiterHistoryContract('http', make, 4);

/** Each process enforces its share while there is no limiter. */
const SHARED = { ...HOUSE_TABLE, rules: HOUSE_TABLE.rules.map((rule) => ({ ...rule, fail: 'share' as const })) };
const overloaded = { code: 'overloaded' };
const decided = async (limiter: Limiter, tenant: string) => {
  const verdict = await limiter.decide({ tenant, principal: 'agt_one', llmTokens: 100_000 });
  if (!verdict.allowed) throw new Error(verdict.limitType);
  return verdict.lease;
};

test('a service of one tenant is refused the others, and nothing is taken there', async () => {
  const [own, other] = [behindOne(Date.now)(), behindOne(Date.now)()];
  const limiter = asking({ tenant: own });
  const lease = await decided(asking(), other);
  await expect(limiter.decide({ tenant: other, principal: 'agt_two' })).rejects.toMatchObject(overloaded);
  await expect(limiter.settle(other, lease, 0)).rejects.toMatchObject(overloaded);
  await expect(limiter.release(other, lease)).rejects.toMatchObject(overloaded);
  expect(await limiter.decide({ tenant: own, principal: 'agt_two' })).toMatchObject({ allowed: true, remaining: 59 });
  expect(await limiter.release(own, lease)).toBe(false);
  expect(await asking().decide({ tenant: other, principal: 'agt_two' })).toMatchObject({ remaining: 59 });
  expect(await asking().release(other, lease)).toBe(true);
});

test('a lease of another service is as unknown as none, and one of its own replicas has it', async () => {
  const tenant = behindOne(Date.now)();
  const lease = await decided(asking(), tenant);
  const gateway = asking({ ...ALL, client_id: 'gateway', sub: 'gateway' });
  for (const each of [lease, 'AAAAAAAAAAAAAAAAAAAAAA']) {
    expect(await gateway.settle(tenant, each, 0)).toBe(false);
    expect(await gateway.release(tenant, each)).toBe(false);
  }
  expect(await asking().settle(tenant, lease, 500)).toBe(true);
});

test.each<[string, Claims]>([
  ['for another API', { ...ALL, aud: 'http://127.0.0.1:4401/mcp' }],
  ['without the scope', { ...ALL, scope: 'limits:admin' }],
  ['of another issuer', { ...ALL, iss: 'http://evil.example' }],
  ['that has expired', { ...ALL, exp: 1_600_000_000 }],
  ['of a person', { tenant: 'acme', sub: 'usr_1', all_tenants: true }],
])(
  'a token %s gets no decision about another tenant, whatever the rules say of a limiter that is away',
  async (_what, claims) => {
    const tenant = behindOne(Date.now)();
    const heard: unknown[] = [];
    const limiter = asking(claims, { table: () => SHARED, onAway: (error) => void heard.push(error) });
    for (let i = 0; i < 2; i++) {
      await expect(limiter.decide({ tenant, principal: 'agt_one' })).rejects.toMatchObject(overloaded);
    }
    expect(heard).toHaveLength(1);
    expect(await asking().decide({ tenant, principal: 'agt_one' })).toMatchObject({ remaining: 59 });
  },
);

test('a service that cannot decide is no decision, whatever the rules say of one that is away', async () => {
  const full = () => Promise.reject(new Refusal('overloaded', { retryAfterMs: 1_000 }));
  const at = behind.push({ decide: full, settle: full, release: full, close: full }) - 1;
  const limiter = asking(ALL, { table: () => SHARED });
  const tenant = `t${at}-1`;
  await expect(limiter.decide({ tenant, principal: 'agt_one' })).rejects.toMatchObject(overloaded);
  await expect(limiter.settle(tenant, 'A'.repeat(22), 0)).rejects.toMatchObject(overloaded);
});

test('one that fails is away, and then each rule holds as it says', async () => {
  const broken = () => Promise.reject(new Error('a bug'));
  const at = behind.push({ decide: broken, settle: broken, release: broken, close: broken }) - 1;
  const question = { tenant: `t${at}-1`, principal: 'agt_one' };
  await expect(asking().decide(question)).rejects.toMatchObject(overloaded);
  expect(await asking(ALL, { table: () => SHARED }).decide(question)).toMatchObject({ allowed: true, remaining: 59 });
});

test('a service that is gone is no decision, and one that is back is one', async () => {
  const tenant = behindOne(Date.now)();
  const clock = { at: 0 };
  let url = 'http://127.0.0.1:1';
  const post: HttpLimiterParts['post'] = (asked, init) => fetchInside(asked.replace(service.url, url), init);
  const limiter = asking(ALL, { post, now: () => clock.at });
  const ask = () => limiter.decide({ tenant, principal: 'agt_one' });
  await expect(ask()).rejects.toMatchObject(overloaded);
  url = service.url;
  await expect(ask()).rejects.toMatchObject(overloaded);
  clock.at += 200;
  expect(await ask()).toMatchObject({ allowed: true, remaining: 59 });
});
