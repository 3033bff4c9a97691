import { BEHAVIOUR_STATES, EFFECTS, type BehaviourState } from '@portcullis/contract/standing';
import * as fc from 'fast-check';
import {
  firstSeen,
  MAX_DENIALS,
  move,
  personMay,
  recentDenials,
  settle,
  type Behaviour,
  type BehaviourEvent,
} from './behaviour.js';
import { TRANSITIONS, type TransitionRow } from './behaviour.table.js';

const T0 = Date.UTC(2026, 10, 21);
const MINUTE = 60_000;
let id = 0;
const denial = (at: number): BehaviourEvent => ({
  kind: 'call',
  id: `d${id++}`,
  at: T0 + at,
  denial: true,
  allowed: false,
});
const allowed = (at: number): BehaviourEvent => ({
  kind: 'call',
  id: `a${id++}`,
  at: T0 + at,
  denial: false,
  allowed: true,
});
const refused = (at: number): BehaviourEvent => ({
  kind: 'call',
  id: `r${id++}`,
  at: T0 + at,
  denial: false,
  allowed: false,
});
const person = (at: number, to: BehaviourState): BehaviourEvent => ({
  kind: 'person',
  at: T0 + at,
  to,
  by: 'ada',
  reason: 'because',
});

const play = (events: readonly BehaviourEvent[], from: Behaviour = firstSeen(T0)) =>
  events.reduce(
    ({ next, transitions }, event) => {
      const moved = move(next, event);
      return { next: moved.next, transitions: [...transitions, ...moved.transitions] };
    },
    { next: from, transitions: settle(from, 0).transitions },
  );
const path = (events: readonly BehaviourEvent[]): string[] => play(events).transitions.map(({ to }) => to);
const burst = (count: number, from = 0, step = 1000) =>
  Array.from({ length: count }, (_, n) => denial(from + n * step));
const calls = (count: number, from: number, step = 1000) =>
  Array.from({ length: count }, (_, n) => allowed(from + n * step));
const remediation = [...burst(5), person(10_000, 'Remediation')];

const rows: [string, BehaviourEvent[], string[]][] = [
  ['nothing but allowed calls', calls(100, 0), []],
  ['refusals that are no denial', Array.from({ length: 20 }, (_, n) => refused(n)), []],
  ['one denial', burst(1), ['Monitoring']],
  ['two denials', burst(2), ['Monitoring']],
  ['three denials within a minute', burst(3), ['Monitoring', 'Suspicious']],
  ['five denials within a minute', burst(5), ['Monitoring', 'Suspicious', 'Isolated']],
  ['five denials in the same millisecond', burst(5, 0, 0), ['Monitoring', 'Suspicious', 'Isolated']],
  ['denials after the isolation', burst(9), ['Monitoring', 'Suspicious', 'Isolated']],
  ['four denials within a minute and one after it', [...burst(4), denial(61_000)], ['Monitoring', 'Suspicious']],
  [
    'the fifth denial exactly 60 s after the first',
    [...burst(4, 0, 15_000), denial(60_000)],
    ['Monitoring', 'Suspicious'],
  ],
  [
    'the fifth denial 59,999 ms after the first',
    [...burst(4), denial(59_999)],
    ['Monitoring', 'Suspicious', 'Isolated'],
  ],
  ['denials exactly 60 s apart', burst(9, 0, MINUTE), ['Monitoring']],
  ['three denials in 60 s exactly', burst(3, 0, 30_000), ['Monitoring']],
  [
    'a denial that comes late, between two that are 60 s apart',
    [denial(0), denial(60_000), denial(30_000)],
    ['Monitoring'],
  ],
  ['five denials whose times come in reverse', burst(5).reverse(), ['Monitoring', 'Suspicious', 'Isolated']],
  [
    'five denials within a minute of a second source whose clock is five minutes slow',
    [...burst(2, 6 * MINUTE), ...burst(4, MINUTE), denial(MINUTE + 5000)],
    ['Monitoring', 'Suspicious', 'Isolated'],
  ],
  ['Monitoring and ten quiet minutes', [denial(0), allowed(10 * MINUTE)], ['Monitoring', 'Normal']],
  ['Monitoring and one millisecond less', [denial(0), allowed(10 * MINUTE - 1)], ['Monitoring']],
  ['Suspicious and ten quiet minutes', [...burst(3), refused(12 * MINUTE)], ['Monitoring', 'Suspicious', 'Normal']],
  [
    'a denial in between starts the ten minutes again',
    [denial(0), denial(9 * MINUTE), allowed(11 * MINUTE)],
    ['Monitoring'],
  ],
  ['a denial after ten quiet minutes', [denial(0), denial(10 * MINUTE)], ['Monitoring', 'Normal', 'Monitoring']],
  ['Isolated and a year', [...burst(5), allowed(365 * 1440 * MINUTE)], ['Monitoring', 'Suspicious', 'Isolated']],
  ['a person quarantines', [person(0, 'Isolated')], ['Isolated']],
  [
    'a person may not skip Remediation',
    [...burst(5), person(9000, 'Normal')],
    ['Monitoring', 'Suspicious', 'Isolated'],
  ],
];
test.each(rows)('%s', (_name, events, expected) => {
  expect(path(events)).toEqual(expected);
});

const fromRemediation: [string, BehaviourEvent[], string[]][] = [
  ['a person clears it', [person(20_000, 'Normal')], ['Normal']],
  ['twenty allowed calls and ten minutes clear it', [...calls(20, 20_000), allowed(10 * MINUTE + 10_000)], ['Normal']],
  ['twenty allowed calls in nine minutes do not', [...calls(20, 20_000), allowed(9 * MINUTE)], []],
  ['nineteen allowed calls and an hour do not', [...calls(18, 20_000), allowed(60 * MINUTE)], []],
  ['the twentieth call after ten minutes does at once', [...calls(19, 20_000), allowed(60 * MINUTE)], ['Normal']],
  [
    'a denial starts the calls and the minutes again',
    [...calls(20, 20_000), denial(9 * MINUTE), ...calls(19, 11 * MINUTE), refused(30 * MINUTE)],
    [],
  ],
  ['three denials do not widen the limits again', burst(3, 20_000), []],
  ['four denials do not isolate: the five before are forgiven', burst(4, 20_000), []],
  ['five new denials isolate again', burst(5, 20_000), ['Isolated']],
  ['denials from before the release that arrive late are forgiven', burst(5, 5000), []],
];
test.each(fromRemediation)('in Remediation: %s', (_name, events, expected) => {
  expect(path([...remediation, ...events]).slice(4)).toEqual(expected);
});

test('a state that ran out ended when its time was over, not when somebody looked', () => {
  const { next } = play([denial(0)]);
  expect(settle(next, T0 + 99 * MINUTE).next).toMatchObject({ state: 'Normal', since: T0 + 10 * MINUTE });
  expect(settle(next, T0 + 10 * MINUTE - 1).next).toBe(next);
});

test('a remediated agent is Normal from its twentieth call on, when that came after the ten minutes', () => {
  const { next } = play([...remediation, ...calls(19, 20_000), allowed(15 * MINUTE)]);
  expect(next).toMatchObject({ state: 'Normal', since: T0 + 15 * MINUTE });
});

test('a transition says which rule made it and why, or which person and the reason given', () => {
  const { transitions } = play(remediation);
  expect(transitions.slice(2)).toEqual([
    { from: 'Suspicious', to: 'Isolated', at: T0 + 4000, why: '5 denials within 60 s', by: 'rule:five-denials' },
    { from: 'Isolated', to: 'Remediation', at: T0 + 10_000, why: 'because', by: 'ada' },
  ]);
});

test('an event that comes twice counts once', () => {
  const twice = burst(4).flatMap((event) => [event, event, event]);
  expect(play(twice).next).toEqual(play(twice.filter((_, index) => index % 3 === 0)).next);
  const inRemediation = [...remediation, ...calls(19, 20_000)];
  const repeated = [...inRemediation, inRemediation.at(-1)!, inRemediation.at(-1)!, refused(60 * MINUTE)];
  expect(play(repeated).next.state).toBe('Remediation');
});

test('since never moves back, whatever order the times come in', () => {
  const { next } = play([denial(0), denial(5000), denial(2000), denial(1000)]);
  expect(next).toMatchObject({ state: 'Suspicious', since: T0 + 2000 });
  expect(play([denial(3000), denial(3000), denial(1000)]).next).toMatchObject({
    state: 'Suspicious',
    since: T0 + 3000,
  });
});

test('denials are counted over the last minute and over all', () => {
  const { next } = play([denial(0), ...burst(3, 5 * MINUTE)]);
  expect(next.denials).toBe(4);
  expect(recentDenials(next, T0 + 5 * MINUTE + 2000)).toBe(3);
  expect(recentDenials(next, T0 + 7 * MINUTE)).toBe(0);
});

/** Frozen: a change of policy is a change of these lines. */
test('the table says who may go where', () => {
  const table: readonly TransitionRow[] = TRANSITIONS;
  const lines = table.map(({ name, on, from, to }) => `${name} ${on.kind}: ${from.join(' ')} -> ${to}`);
  expect(lines).toEqual([
    'five-denials denials: Normal Monitoring Suspicious Investigation Remediation -> Isolated',
    'three-denials denials: Normal Monitoring -> Suspicious',
    'first-denial denials: Normal -> Monitoring',
    'ten-quiet-minutes quiet: Monitoring Suspicious -> Normal',
    'remediated quiet: Remediation -> Normal',
    'quarantine person: Normal Monitoring Suspicious Investigation Remediation -> Isolated',
    'release person: Isolated Compromised -> Remediation',
    'clear person: Investigation Remediation -> Normal',
    'investigate person: Normal Monitoring Suspicious -> Investigation',
    'compromise person: Normal Monitoring Suspicious Investigation Remediation Isolated -> Compromised',
  ]);
  expect(new Set(table.map(({ name }) => name)).size).toBe(table.length);
});

test('every state can be left and every state can be reached', () => {
  const table: readonly TransitionRow[] = TRANSITIONS;
  for (const state of BEHAVIOUR_STATES) {
    expect(table.some(({ to, from }) => to === state && !from.includes(state))).toBe(true);
    expect(personMay(state).length).toBeGreaterThan(0);
  }
});

const anyEvent = fc.record({
  kind: fc.constantFrom('denial', 'allowed', 'refused', 'person'),
  at: fc.integer({ min: 0, max: 40 * MINUTE }),
  id: fc.integer({ min: 0, max: 60 }),
  to: fc.constantFrom(...BEHAVIOUR_STATES),
});
const eventsOf = (drawn: readonly { kind: string; at: number; id: number; to: BehaviourState }[]): BehaviourEvent[] =>
  drawn.map(({ kind, at, id: number, to }) =>
    kind === 'person'
      ? person(at, to)
      : { kind: 'call', id: `${kind}${number}`, at: T0 + at, denial: kind === 'denial', allowed: kind === 'allowed' },
  );

test('replaying the same events gives the same behaviour, each step is a row of the table, and memory stays small', () => {
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 120 }), (drawn) => {
      const events = eventsOf(drawn);
      const { next, transitions } = play(events);
      expect(play(events)).toEqual({ next, transitions });
      for (const { from, to } of transitions) {
        expect((TRANSITIONS as readonly TransitionRow[]).some((row) => row.from.includes(from) && row.to === to)).toBe(
          true,
        );
      }
      for (const { from, by } of transitions) if (!EFFECTS[from].admitted) expect(by).toBe('ada');
      expect(next.memory.denials.length).toBeLessThanOrEqual(MAX_DENIALS);
      expect(next.memory.allowed.length).toBeLessThanOrEqual(20);
    }),
  );
});
