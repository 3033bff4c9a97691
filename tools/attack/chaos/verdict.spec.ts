import { compare, overLimit, REVOKED_WITHIN_MS, takenAfter } from './verdict.mjs';

const answer = (n: number, more: object = {}) => ({
  request: `r${n}`,
  tool: 't',
  client: 'c',
  sentAt: n,
  answeredAt: n + 1,
  status: 200,
  correlationId: `c${n}`,
  ...more,
});
const event = (n: number, more: object = {}) => ({
  correlationId: `c${n}`,
  request: `r${n}`,
  outcome: 'allowed',
  id: `e${n}`,
  ...more,
});
const { answeredAt: _a, status: _s, correlationId: _c, ...cut } = answer(9);

test('a call that was answered has one event; none is lost, two are doubled', () => {
  const found = compare([answer(1), answer(2), answer(3)], [event(1), event(3), event(3, { id: 'other' })], []);
  expect(found).toMatchObject({ answered: 3, stored: 1, lost: 1, doubled: 1 });
});

test('a call that was cut may be on record, or not', () => {
  expect(compare([cut], [event(9)], [])).toMatchObject({ answered: 0, lost: 0, doubled: 0 });
  expect(compare([cut], [], [])).toMatchObject({ answered: 0, lost: 0 });
});

test('an attempt that nothing came of is open; of an answered call it would be a lie', () => {
  const attempt = (n: number) => event(n, { outcome: 'attempted', id: `a${n}` });
  const concluded = event(1, { attempt: 'a1' });
  expect(compare([answer(1), cut], [attempt(1), concluded, attempt(9)], ['r1', 'r9'])).toMatchObject({
    lost: 0,
    open: 1,
    openAnswered: 0,
    unseen: 0,
  });
  expect(compare([answer(1)], [attempt(1), event(1)], ['r1', 'r7'])).toMatchObject({ openAnswered: 1, unseen: 1 });
});

test('only what lies in a window with all its time counts against the limit', () => {
  const at = (sentAt: number, answeredAt: number) => answer(0, { sentAt, answeredAt });
  expect(overLimit([at(0, 10), at(50, 60), at(90, 99)], 2, 100)).toBe(1);
  expect(overLimit([at(0, 10), at(50, 60), at(90, 101)], 2, 100)).toBe(0);
  expect(overLimit([at(0, 10), answer(0, { sentAt: 1, answeredAt: 2, status: 429 })], 1, 100)).toBe(0);
});

test('a revoked token that is taken later than the bound is found', () => {
  const late = answer(0, { sentAt: 1_000 + REVOKED_WITHIN_MS + 1 });
  const early = answer(0, { sentAt: 1_900 });
  expect(takenAfter([early], 1_000)).toEqual({ tooLate: 0, lastMs: 900 });
  expect(takenAfter([early, late, { ...late, status: 401 }], 1_000)).toEqual({
    tooLate: 1,
    lastMs: REVOKED_WITHIN_MS + 1,
  });
  expect(takenAfter([], 1_000)).toEqual({ tooLate: 0, lastMs: 0 });
});
