import { nonces } from './nonces.js';

const KEY = new Uint8Array(32).fill(7);
const START = 1_800_000_000_000;
const MINUTE = 60_000;

function clocked(key = KEY) {
  const clock = { now: START };
  return { clock, ...nonces(key, () => clock.now) };
}

test('a nonce is good for two to three minutes, and ages after its first', () => {
  const { clock, current, ageOf } = clocked();
  const nonce = current();
  expect(ageOf(nonce)).toEqual({ until: START + 3 * MINUTE, aging: false });
  clock.now = START + MINUTE;
  expect(ageOf(nonce)).toEqual({ until: START + 3 * MINUTE, aging: true });
  expect(ageOf(current())).toEqual({ until: START + 4 * MINUTE, aging: false });
  clock.now = START + 3 * MINUTE - 1;
  expect(ageOf(nonce)).toEqual({ until: START + 3 * MINUTE, aging: true });
  clock.now = START + 3 * MINUTE;
  expect(ageOf(nonce)).toBeUndefined();
});

test('a nonce that is over stays over when the clock steps back', () => {
  const { clock, current, ageOf } = clocked();
  const nonce = current();
  clock.now = START + 3 * MINUTE;
  expect(ageOf(nonce)).toBeUndefined();
  clock.now = START;
  expect(ageOf(nonce)).toBeUndefined();
  expect(ageOf(current())).toMatchObject({ aging: false });
});

test('nonces of another key, as after a restart, and of the future are none of ours', () => {
  const ours = clocked();
  const other = clocked(new Uint8Array(32).fill(8));
  expect(ours.ageOf(other.current())).toBeUndefined();
  other.clock.now = ours.clock.now;
  const ahead = clocked();
  ahead.clock.now = START + MINUTE;
  expect(ours.ageOf(ahead.current())).toBeUndefined();
  for (const nonce of ['', 'x', `${ours.current()}x`, ours.current().slice(1)])
    expect(ours.ageOf(nonce)).toBeUndefined();
});

test('two processes with one key take each other’s', () => {
  expect(clocked().ageOf(clocked().current())).toMatchObject({ aging: false });
});

test('all nonces end when what keeps the replays is another one, and none of them comes back', () => {
  let runs = 'one';
  const { current, ageOf } = nonces(
    KEY,
    () => START,
    () => runs,
  );
  const before = current();
  runs = 'two';
  expect(ageOf(before)).toBeUndefined();
  expect(ageOf(current())).toMatchObject({ aging: false });
  expect(current()).not.toBe(before);
});
