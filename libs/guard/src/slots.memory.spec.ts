import { Refusal } from '@portcullis/contract/refusals';
import * as fc from 'fast-check';
import { memorySlots } from './slots.memory.js';
import { DEFAULT_SLOTS, type Slot } from './slots.js';

const bounds = { maxCalls: 3, maxCallsPerAgent: 2, maxHeldBytes: 400 };
const refusal = (act: () => unknown): Refusal => {
  try {
    act();
  } catch (error) {
    if (error instanceof Refusal) return error;
  }
  throw new Error('nothing was refused');
};

it('refuses the principal that has its share with 429 and when to come back, and nobody else', () => {
  const slots = memorySlots(bounds);
  slots.enter('t', 'a');
  const second = slots.enter('t', 'a');
  expect(refusal(() => slots.enter('t', 'a'))).toMatchObject({
    code: 'rate_limited',
    facts: { limitType: 'concurrency', remaining: 0, retryAfterMs: 1000 },
  });
  slots.enter('u', 'a');
  second.leave();
  slots.enter('t', 'a');
});

it('refuses everybody with 503 when all is taken', () => {
  const slots = memorySlots(bounds);
  const slot = slots.enter('t', 'a');
  slots.enter('t', 'b');
  slots.enter('u', 'c');
  expect(refusal(() => slots.enter('t', 'd'))).toMatchObject({ code: 'overloaded', facts: { retryAfterMs: 1000 } });
  slot.leave();
  slots.enter('t', 'd');
});

it('holds no more bytes than there are, and a quarter of them for one principal', () => {
  const slots = memorySlots({ ...bounds, maxCalls: 10 });
  const slot = slots.enter('t', 'a');
  slot.hold(60);
  slot.hold(40);
  expect(refusal(() => slot.hold(1))).toMatchObject({ code: 'rate_limited', facts: { limitType: 'concurrency' } });
  slots.enter('t', 'b').hold(100);
  for (const other of ['c', 'd']) slots.enter('u', other).hold(100);
  expect(refusal(() => slots.enter('t', 'e').hold(1)).code).toBe('overloaded');
  slot.leave();
  slots.enter('t', 'f').hold(100);
});

it('takes on half of the calls for one tenant, whose agents are told 429, and has room for the next tenant', () => {
  const slots = memorySlots({ maxCalls: 8, maxCallsPerAgent: 2, maxHeldBytes: 1000 });
  const first = slots.enter('acme', 'a');
  for (const agent of ['a', 'b', 'b']) slots.enter('acme', agent);
  expect(refusal(() => slots.enter('acme', 'c'))).toMatchObject({
    code: 'rate_limited',
    facts: { limitType: 'concurrency', remaining: 0, retryAfterMs: 1000 },
  });
  for (const agent of ['a', 'a', 'b', 'b']) slots.enter('other', agent);
  first.leave();
  slots.enter('acme', 'c');
});

it('holds half of the bytes for one tenant, and has room for the next', () => {
  const slots = memorySlots({ ...bounds, maxCalls: 10 });
  for (const agent of ['a', 'b']) slots.enter('t', agent).hold(100);
  expect(refusal(() => slots.enter('t', 'c').hold(1))).toMatchObject({
    code: 'rate_limited',
    facts: { limitType: 'concurrency' },
  });
  slots.enter('u', 'a').hold(100);
});

it('has room for one agent’s share, and another’s beside it, in one tenant', () => {
  expect(DEFAULT_SLOTS.maxCalls / 2).toBeGreaterThanOrEqual(2 * DEFAULT_SLOTS.maxCallsPerAgent);
});

it('is empty when all have left, whatever was refused on the way, however often they leave', () => {
  const step = fc.record({
    tenant: fc.constantFrom('t', 'u'),
    agent: fc.constantFrom('a', 'b', 'c', 'd'),
    bytes: fc.nat(150),
    leave: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const slots = memorySlots(bounds);
      const taken: Slot[] = [];
      for (const { tenant, agent, bytes, leave } of steps) {
        try {
          const slot = slots.enter(tenant, agent);
          taken.push(slot);
          slot.hold(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(Refusal);
        }
        expect(slots.inUse().calls).toBeLessThanOrEqual(bounds.maxCalls);
        expect(slots.inUse().bytes).toBeLessThanOrEqual(bounds.maxHeldBytes);
        if (leave) taken[0]?.leave();
        if (leave && taken.length > 1) taken.shift();
      }
      for (const slot of taken) slot.leave();
      expect(slots.inUse()).toEqual({ calls: 0, agents: 0, tenants: 0, bytes: 0 });
    }),
  );
});
