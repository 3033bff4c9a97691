import { memoryFailures, type Failures } from './failures.memory.js';

let accounts = 0;
/** a try at an account of its own each time */
const guess = (failures: Failures, address: string, now: number) => failures.begin(address, `a-${++accounts}`, now);
const may = (answer: ReturnType<Failures['begin']>) => typeof answer !== 'number';

test('an address that failed thirty times waits for the rest of five minutes, others do not', () => {
  const failures = memoryFailures();
  for (let i = 0; i < 30; i += 1) expect(may(guess(failures, '192.0.2.1', 1000 + i))).toBe(true);
  expect(guess(failures, '192.0.2.1', 2000)).toBe(299_000);
  expect(may(guess(failures, '192.0.2.2', 2000))).toBe(true);
  expect(may(guess(failures, '192.0.2.1', 301_000))).toBe(true);
});

test('the count begins anew after the window', () => {
  const failures = memoryFailures();
  for (let i = 0; i < 30; i += 1) guess(failures, '192.0.2.1', 0);
  guess(failures, '192.0.2.1', 300_000);
  expect(may(guess(failures, '192.0.2.1', 300_000))).toBe(true);
});

test('guesses from one IPv6 network of 64 bits count together, those from the next one do not', () => {
  const failures = memoryFailures();
  for (let host = 1; host <= 30; host += 1) guess(failures, `2001:db8:1:2::${host.toString(16)}`, 0);
  expect(guess(failures, '2001:db8:1:2:ffff::1', 1)).toBe(299_999);
  expect(may(guess(failures, '2001:db8:1:3::1', 1))).toBe(true);
});

test('ten guesses at an account are free; then each costs a pause, doubled up to half a minute, wherever they come from', () => {
  const failures = memoryFailures();
  let address = 0;
  const attempt = (now: number) => failures.begin(`192.0.2.${++address}`, 'default/sam', now);
  for (let i = 0; i < 10; i += 1) expect(may(attempt(0))).toBe(true);
  let now = 0;
  for (const pause of [1, 2, 4, 8, 16, 30, 30, 30].map((seconds) => seconds * 1000)) {
    expect(attempt(now)).toBe(pause);
    expect(attempt(now + pause - 1)).toBe(1);
    now += pause;
    expect(may(attempt(now))).toBe(true);
  }
  expect(may(failures.begin('192.0.2.1', 'default/uma', now))).toBe(true);
});

test('an account is as new a quarter of an hour after its last failure, and after a sign-in', () => {
  const failures = memoryFailures();
  const attempt = (now: number) => failures.begin('192.0.2.1', 'default/sam', now);
  for (let i = 0; i < 10; i += 1) attempt(0);
  expect(attempt(999)).toBe(1);
  const good = attempt(1000);
  if (typeof good !== 'number') good.succeeded();
  for (let i = 0; i < 10; i += 1) expect(may(attempt(1000))).toBe(true);
  expect(may(attempt(1000))).toBe(false);
  expect(may(attempt(1000 + 15 * 60_000))).toBe(true);
});

test('what was not tried, and what succeeded, is not counted', () => {
  const failures = memoryFailures();
  for (let i = 0; i < 100; i += 1) {
    const one = guess(failures, '192.0.2.1', i);
    if (typeof one === 'number') throw new Error('must wait');
    if (i % 2) one.succeeded();
    else one.notMade();
  }
  for (let i = 0; i < 30; i += 1) expect(may(guess(failures, '192.0.2.1', 100))).toBe(true);
});

test('ten thousand networks are remembered at most, the quietest forgotten first', () => {
  const failures = memoryFailures();
  const address = (i: number) => `10.0.${i >> 8}.${i & 255}`;
  for (let i = 0; i < 30; i += 1) guess(failures, '192.0.2.1', 0);
  for (let i = 0; i < 9_999; i += 1) guess(failures, address(i), 1);
  expect(may(guess(failures, '192.0.2.1', 2))).toBe(false);
  guess(failures, address(9_999), 2);
  expect(may(guess(failures, '192.0.2.1', 2))).toBe(true);
});
