import { endsToken, revocableIds, REVOCABLE, revocationSchema } from './revocation.js';

const token = {
  tenant: 'acme',
  tokenId: 'j1',
  grantId: 'g1',
  principal: 'agt_1',
  clientId: 'c1',
  sub: 'u1',
  issuedAt: 100,
};

test('what can be revoked is as pinned', () => {
  expect(Object.entries(REVOCABLE).map(([what, { standing }]) => [what, standing])).toEqual([
    ['token', false],
    ['grant', false],
    ['principal', true],
    ['client', true],
    ['user', true],
  ]);
});

test('a person’s token can have been revoked under five ids, a machine’s under three', () => {
  expect(revocableIds(token)).toEqual([
    ['token', 'j1'],
    ['grant', 'g1'],
    ['principal', 'agt_1'],
    ['client', 'c1'],
    ['user', 'u1'],
  ]);
  expect(revocableIds({ ...token, grantId: undefined, sub: undefined }).map(([what]) => what)).toEqual([
    'token',
    'principal',
    'client',
  ]);
});

test.each([
  ['token', 0, true],
  ['grant', 0, true],
  ['client', 99_999, false],
  ['client', 100_000, true],
  ['client', 100_999, true],
  ['user', 99_999, false],
  ['principal', 101_000, true],
] as const)('a %s revoked at %d ms ends a token issued at 100 s: %s', (what, at, ends) => {
  expect(endsToken({ what, at: new Date(at).toISOString() }, 100)).toBe(ends);
});

test.each([{ what: 'all' }, { id: '' }, { at: 'now' }, { tenant: '../x' }, { until: '2026-01-01' }])(
  'a revocation with %j is none',
  (wrong) => {
    const at = '2026-01-01T00:00:00.000Z';
    const good = { tenant: 'acme', what: 'grant', id: 'g1', at, until: at };
    expect(revocationSchema.safeParse(good).success).toBe(true);
    expect(revocationSchema.safeParse({ ...good, ...wrong }).success).toBe(false);
  },
);
