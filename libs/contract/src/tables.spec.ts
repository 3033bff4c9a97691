import { SIGNED_TOPICS, HEARTBEAT_MS, heartbeatKey, STALE_MS, type SignedTopic } from './containment.js';
import { leaseRequest, LIMIT_TYPES, limitQuestion, settleRequest } from './limits.js';
import { silentLog } from './log.js';
import { BEHAVIOUR_STATES, EFFECTS, standingSchema } from './standing.js';
import { TOPICS, type TopicRow } from './topics.js';

test('the states of behaviour and what they mean are as pinned', () => {
  expect(EFFECTS).toEqual({
    Normal: { admitted: true, limitShare: 1 },
    Monitoring: { admitted: true, limitShare: 1 },
    Suspicious: { admitted: true, limitShare: 1 },
    Investigation: { admitted: true, limitShare: 1 },
    Compromised: { admitted: false, limitShare: 0 },
    Isolated: { admitted: false, limitShare: 0 },
    Remediation: { admitted: true, limitShare: 0.5 },
  });
  expect(Object.keys(EFFECTS)).toEqual([...BEHAVIOUR_STATES]);
});

test('the topics are as pinned', () => {
  const rows: [string, TopicRow][] = Object.entries(TOPICS);
  expect(rows.map(([name, { key, compacted, partitions, days }]) => [name, key, compacted, partitions, days])).toEqual([
    ['portcullis.events', 'tenant/principal', false, 12, 7],
    ['portcullis.signals', 'tenant/principal', false, 6, 7],
    ['portcullis.approvals', 'tenant/approval', false, 3, 7],
    ['portcullis.revocations', 'tenant/what/id', true, 1, undefined],
    ['portcullis.standing', 'tenant/principal', true, 1, undefined],
    ['portcullis.limit-rules', '/table', true, 1, undefined],
    ['portcullis.dead-letters', 'tenant/topic/partition/offset', false, 1, 30],
  ]);
});

test('who signs what decides over agents is as pinned, and a heartbeat comes behind all that was said before it', () => {
  expect(SIGNED_TOPICS).toEqual({
    'portcullis.revocations': { signer: 'auth-server', beats: true, mostCharacters: 8192 },
    'portcullis.standing': { signer: 'security-analytics', beats: true, mostCharacters: 8192 },
    'portcullis.limit-rules': { signer: 'rate-limiter', beats: false, mostCharacters: 393_216 },
  });
  for (const topic of Object.keys(SIGNED_TOPICS) as SignedTopic[])
    expect(TOPICS[topic]).toMatchObject({ compacted: true, partitions: 1 });
  expect(heartbeatKey('portcullis.standing')).toBe('/heartbeat/security-analytics');
  expect([HEARTBEAT_MS, STALE_MS]).toEqual([1000, 3000]);
});

test('the limits that can refuse are as pinned', () => {
  expect(LIMIT_TYPES).toEqual([
    'arrivals',
    'requests',
    'tool_requests',
    'llm_tokens',
    'cost',
    'concurrency',
    'failures',
    'approvals',
  ]);
});

test('a limit question has a tenant and a whole share unless it says otherwise', () => {
  expect(limitQuestion.parse({ principal: 'agt_1' })).toEqual({
    tenant: 'default',
    principal: 'agt_1',
    stage: 'call',
    share: 1,
  });
});

test.each([
  {},
  { principal: '' },
  { principal: 'x'.repeat(201) },
  { principal: 'p', tenant: 'Acme' },
  { principal: 'p', llmTokens: -1 },
  { principal: 'p', llmTokens: 1.5 },
  { principal: 'p', llmTokens: NaN },
  { principal: 'p', llmTokens: 1_000_001 },
  { principal: 'p', share: 0 },
  { principal: 'p', share: 1.01 },
  { principal: 'p', tool: '' },
  { principal: 'p', costMicros: -1 },
  { principal: 'p', costMicros: 0.5 },
  { principal: 'p', costMicros: 1_000_000_001 },
  { principal: 'p', user: '' },
  { principal: 'p', user: 'x'.repeat(256) },
  { principal: 'p', address: '' },
  { principal: 'p', address: 'x'.repeat(65) },
  { principal: 'p', chain: [] },
  { principal: 'p', chain: [''] },
  { principal: 'p', chain: ['a', 'b', 'c', 'd'] },
  { principal: 'p', unknown: 1 },
])('%j is no limit question', (question) => expect(limitQuestion.safeParse(question).success).toBe(false));

test.each([{}, { lease: '' }, { lease: 'x'.repeat(65) }, { lease: 'a', more: 1 }, { lease: 'a', tenant: 'No/Slug' }])(
  '%j names no lease',
  (request) => {
    expect(leaseRequest.safeParse(request).success).toBe(false);
    expect(settleRequest.safeParse({ ...request, llmTokens: 1 }).success).toBe(false);
  },
);

test.each([-1, 0.5, NaN, 1e11])('a settlement of %d millionths is none', (costMicros) => {
  expect(settleRequest.safeParse({ lease: 'a', llmTokens: 1, costMicros }).success).toBe(false);
});

test('a standing names its agent by its id', () => {
  const standing = { tenant: 't', agent: 'agt_1', state: 'Isolated', since: '2026-01-01T00:00:00.000Z' };
  expect(standingSchema.parse(standing)).toEqual(standing);
  expect(standingSchema.safeParse({ ...standing, agent: 'client-1' }).success).toBe(false);
  expect(standingSchema.safeParse({ ...standing, state: 'Fine' }).success).toBe(false);
});

test('a silent log takes everything', () => {
  for (const level of ['debug', 'info', 'warn', 'error'] as const) expect(silentLog[level]('x', {})).toBeUndefined();
});
