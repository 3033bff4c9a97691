import { Refusal } from '@portcullis/contract/refusals';
import { FAILURE_BUDGET_BOUNDS, memoryFailureBudget, type FailureBudgetBounds } from './failure-budget.memory.js';

const MINUTE = 60_000;
const bad = new Refusal('token_invalid');
const anyFailure = () => true;

function budget(bounds: Partial<FailureBudgetBounds> = {}) {
  const clock = { now: 1_800_000_000_000 };
  const failures = memoryFailureBudget(() => clock.now, { ...FAILURE_BUDGET_BOUNDS, ...bounds });
  let tried = 0;
  /** what became of one try */
  const attempt = async (
    owner: string,
    work: () => Promise<unknown>,
    isFailure: (error: unknown) => boolean = anyFailure,
  ) => {
    const counted = () => {
      tried += 1;
      return work();
    };
    try {
      await failures.attempt(owner, counted, isFailure);
      return 'good';
    } catch (error) {
      return (error as Refusal).code;
    }
  };
  const fail = (owner = 'a') => attempt(owner, () => Promise.reject(bad));
  const pass = (owner = 'a') => attempt(owner, async () => 'x');
  const times = async (many: number, work: () => Promise<string>): Promise<string[]> => {
    const all: string[] = [];
    for (let at = 0; at < many; at += 1) all.push(await work());
    return all;
  };
  return { clock, failures, attempt, fail, pass, times, tried: () => tried };
}
const refusalOf = (work: Promise<unknown>) => work.then(fail, (error: unknown) => error as Refusal);
const fail = (): never => {
  throw new Error('no refusal');
};
const count = (all: readonly string[]): Record<string, number> =>
  Object.fromEntries([...new Set(all)].map((one) => [one, all.filter((other) => other === one).length]));
/** Work that is under way until it is told how it ends. */
function held() {
  const open: { good(): void; bad(): void }[] = [];
  const work = () => new Promise<void>((resolve, reject) => void open.push({ good: resolve, bad: () => reject(bad) }));
  return { open, work };
}
const settle = () => new Promise((resolve) => setImmediate(resolve));

test('sixty failures a minute are told as what they are, and the next is not tried', async () => {
  const { fail, pass, times, tried } = budget();
  expect(count(await times(60, fail))).toEqual({ token_invalid: 60 });
  expect(await times(3, fail)).toEqual(['rate_limited', 'rate_limited', 'rate_limited']);
  expect([await pass(), tried()]).toEqual(['rate_limited', 60]);
});

test('who is refused learns which limit it was and when the first of them is a minute old', async () => {
  const { clock, fail, failures, times } = budget();
  await fail();
  clock.now += 20_000;
  await times(59, fail);
  clock.now += 10_000;
  expect(await refusalOf((async () => failures.attempt('a', async () => 1, anyFailure))())).toMatchObject({
    code: 'rate_limited',
    facts: { limitType: 'failures', remaining: 0, retryAfterMs: 30_000 },
  });
});

test('a minute is any minute: as each failure comes of age there is one more try, not sixty at the turn of a window', async () => {
  const { clock, fail, times } = budget();
  await times(30, fail);
  clock.now += MINUTE / 2;
  await times(30, fail);
  clock.now += MINUTE / 2;
  expect(count(await times(60, fail))).toEqual({ token_invalid: 30, rate_limited: 30 });
});

test('what succeeds is not counted, nor what fails in a way that says nothing', async () => {
  const { attempt, fail, pass, times } = budget();
  await times(500, pass);
  await times(500, () =>
    attempt(
      'a',
      () => Promise.reject(new Refusal('overloaded')),
      () => false,
    ),
  );
  expect(count(await times(61, fail))).toEqual({ token_invalid: 60, rate_limited: 1 });
});

test('failures of one owner are nothing to another', async () => {
  const { fail, pass, times } = budget();
  await times(61, fail);
  expect([await pass('b'), await fail('b')]).toEqual(['good', 'token_invalid']);
});

test('a thousand bad ones at once are sixty tries', async () => {
  const { fail, tried } = budget();
  const all = await Promise.all(Array.from({ length: 1_000 }, () => fail()));
  expect([tried(), count(all)]).toEqual([60, { token_invalid: 60, rate_limited: 940 }]);
});

test('a thousand good ones at once wait for each other, and all pass', async () => {
  const { attempt, tried } = budget();
  const slow = () => settle();
  const all = await Promise.all(Array.from({ length: 1_000 }, () => attempt('a', slow)));
  expect([tried(), count(all)]).toEqual([1_000, { good: 1_000 }]);
});

test('good ones behind bad ones pass as long as there are tries left', async () => {
  const { attempt, fail, pass } = budget();
  const all = await Promise.all([
    ...Array.from({ length: 59 }, () => fail()),
    ...Array.from({ length: 200 }, () => pass()),
  ]);
  expect(count(all)).toEqual({ token_invalid: 59, good: 200 });
  expect(await attempt('a', async () => 1)).toBe('good');
});

test('whoever waits is refused as soon as there is nothing to wait for, though others are still under way', async () => {
  const { attempt, tried } = budget({ perMinute: 3 });
  const { open, work } = held();
  const all = Array.from({ length: 5 }, () => attempt('a', work));
  await settle();
  expect(open).toHaveLength(3);
  open[0]!.bad();
  await settle();
  expect(tried()).toBe(3);
  open[1]!.good();
  await settle();
  // one failed and one is under way, so one of the two who wait may try
  expect(tried()).toBe(4);
  open[2]!.bad();
  open[3]!.bad();
  expect(await Promise.all(all)).toEqual(['token_invalid', 'good', 'token_invalid', 'token_invalid', 'rate_limited']);
});

test('no more than a thousand of one owner wait', async () => {
  const { attempt } = budget({ perMinute: 1, waiting: 2 });
  const { open, work } = held();
  const all = Array.from({ length: 4 }, () => attempt('a', work));
  expect(await all[3]).toBe('overloaded');
  open[0]!.bad();
  expect(await Promise.all(all.slice(0, 3))).toEqual(['token_invalid', 'rate_limited', 'rate_limited']);
});

test('it remembers so many owners, and forgets the one who failed longest ago', async () => {
  const { fail, pass, times } = budget({ perMinute: 1, owners: 3 });
  for (const owner of ['a', 'b', 'c']) await fail(owner);
  await fail('d');
  expect([await pass('b'), await pass('c'), await pass('d'), await pass('a')]).toEqual([
    'rate_limited',
    'rate_limited',
    'rate_limited',
    'good',
  ]);
  expect(await times(2, () => pass('e'))).toEqual(['good', 'good']);
});

test('an owner with tries under way is not forgotten for new ones', async () => {
  const { attempt, fail, tried } = budget({ perMinute: 1, owners: 2 });
  const { open, work } = held();
  const first = attempt('a', work);
  for (let at = 0; at < 50; at += 1) await fail(`b-${at}`);
  const second = attempt('a', work);
  await settle();
  expect(open).toHaveLength(1);
  open[0]!.bad();
  expect([await first, await second, tried()]).toEqual(['token_invalid', 'rate_limited', 51]);
});

test('a clock that steps back locks nobody out', async () => {
  const { clock, fail, pass, times } = budget();
  await times(61, fail);
  clock.now -= 60 * MINUTE;
  expect(await pass()).toBe('good');
});

test('those who wait are not forgotten while others make room, however long ago their owner failed', async () => {
  const { clock, attempt, times, fail } = budget({ perMinute: 2 });
  const { open, work } = held();
  await times(1, fail);
  const first = attempt('a', work);
  const waiting = Array.from({ length: 5 }, () => attempt('a', async () => 'x'));
  clock.now += 2 * MINUTE;
  open[0]!.good();
  // each of them looks for room among the oldest, in every turn until the first of those who waited goes on
  for (let n = 0; n < 20; n += 1) {
    await Promise.resolve();
    void attempt(`b${n}`, () => Promise.reject(bad));
  }
  const forgotten = settle().then(() => 'forgotten');
  expect(await Promise.race([Promise.all([first, ...waiting]), forgotten])).toEqual(Array(6).fill('good'));
});
