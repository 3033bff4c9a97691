import { principalId } from '@portcullis/contract/ids';
import { standingSaying, whoseKey } from './standing-statements.js';

const agent = principalId('default', 'c');
const standing = { tenant: 'default', agent, state: 'Isolated', since: '2026-11-21T00:00:00.000Z' } as const;
const SECOND = 1_000_000;

test('a standing is said of its principal, at the place of when it was read, which it does not tell', () => {
  expect(standingSaying({ ...standing, readAt: 5 }, undefined)).toEqual({
    key: `default/${agent}`,
    seq: 5,
    body: standing,
  });
});

test.each([
  ['that reads later than the other', 7 * SECOND, 6 * SECOND, 7 * SECOND],
  ['that reads as late', 7 * SECOND, 7 * SECOND, 7 * SECOND],
  ['that read earlier stays behind, whenever it speaks', 6 * SECOND, 7 * SECOND, 6 * SECOND],
  ['whose clock was turned back by an hour goes on', 6 * SECOND, 3606 * SECOND, 3606 * SECOND + 1],
])('a replica %s', (_who, readAt, known, seq) => expect(standingSaying({ ...standing, readAt }, known).seq).toBe(seq));

test('a key names a principal of a tenant, or nobody', () => {
  expect(whoseKey(`default/${agent}`)).toEqual({ tenant: 'default', agent });
  for (const key of [
    '',
    'default',
    `Default/${agent}`,
    'default/c',
    `default/${agent}/x`,
    '/heartbeat/x',
    'default/agt_',
  ])
    expect(whoseKey(key)).toBeUndefined();
});
