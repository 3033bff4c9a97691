import * as fc from 'fast-check';
import { steadyClock } from './steady-clock.js';

test('it runs with the clock it is given', () => {
  const readings = [1_000, 1_000, 1_250];
  const clock = steadyClock(() => readings.shift() ?? 0);
  expect([clock(), clock()]).toEqual([1_000, 1_250]);
});

test('a step back is time standing still, and time goes on from there', () => {
  const readings = [1_000, 400, 450];
  const clock = steadyClock(() => readings.shift() ?? 0);
  expect([clock(), clock()]).toEqual([1_000, 1_050]);
});

test('it never runs backwards, and never ahead of the time that really passed', () => {
  fc.assert(
    fc.property(fc.array(fc.record({ passes: fc.nat(1_000), steps: fc.nat(2_000) }), { size: 'large' }), (turns) => {
      let real = 10_000;
      let lost = 0;
      const clock = steadyClock(() => real - lost);
      let last = 10_000;
      for (const { passes, steps } of turns) {
        real += passes;
        lost += steps;
        const at = clock();
        expect(at).toBeGreaterThanOrEqual(last);
        expect(at - last).toBeLessThanOrEqual(passes);
        last = at;
      }
    }),
  );
});
