import { EVENTS, LIMITS, SCALE } from './backbone-bars.mjs';

const at = (perSecond: number) => ({ perSecond });
const [[, inProcess, ofTheLoop], [, overHttp, ofTheServer]] = LIMITS as any;
const [, road, enough] = EVENTS as any;

it('what decisions, events and calls with more replicas are held to', () => {
  expect([ofTheLoop, ofTheServer, enough, SCALE[1]]).toEqual([0.7, 0.4, 1, 1.2]);
});

it('in process the limiter is held beside a loop of the same script, not of a counter', () => {
  expect(inProcess({ decide: at(700), same: at(1_000), counter: at(9_000) })).toBe(0.7);
});

it('over HTTP 10,000 a second are enough beside a server of 25,000 or more, and less beside a slower one', () => {
  expect(overHttp({ http: at(10_000), 'bare http': at(25_000) })).toBe(0.4);
  expect(overHttp({ http: at(10_000), 'bare http': at(60_000) })).toBe(0.4);
  expect(overHttp({ http: at(4_000), 'bare http': at(10_000) })).toBe(0.4);
});

it('events are enough at 20,000 a second, or at half of what the client alone does', () => {
  expect(road({ road: at(20_000), bare: at(90_000) })).toBe(1);
  expect(road({ road: at(5_000), bare: at(10_000) })).toBe(1);
  expect(road({ road: at(5_000), bare: at(90_000) })).toBe(0.25);
});
