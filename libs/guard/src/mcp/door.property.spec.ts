import { REFUSALS } from '@portcullis/contract/refusals';
import * as fc from 'fast-check';
import { gate, SECRET } from './door.fixture.js';
import { ALL_FATES, FATES, type Story } from './fates.fixture.js';

const story = fc.record<Story>({
  fate: fc.constantFrom(...ALL_FATES),
  writes: fc.boolean(),
  lost: fc.oneof({ weight: 4, arbitrary: fc.constant('nothing') }, fc.constantFrom('attempted', 'outcome')),
});
/** Each fate, with an effect and without one. */
const EVERY_STORY = ALL_FATES.flatMap((fate) =>
  [true, false].map((writes): Story => ({ fate, writes, lost: 'nothing' })),
);
const told = ({ fate, writes }: Story) => `${fate}, ${writes ? 'writing' : 'looking'}: ${FATES[fate]}`;

it('whatever becomes of requests, each has one event, no effect is without its attempt, and all that was held is given back', async () => {
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(
      fc.array(story, { minLength: 1, maxLength: 10 }),
      fc.integer({ min: 1, max: 10 }),
      async (stories, maxCalls) => {
        const { journal, leases, misused, slots, all, endLate, stuck, callsOf, askedOf } = gate(stories, maxCalls);
        const answers = await all();
        // only tools that were given up and have not ended hold a slot
        expect(slots.inUse().calls).toBe(stuck());
        await endLate();
        expect(slots.inUse()).toEqual({ calls: 0, agents: 0, tenants: 0, bytes: 0 });
        expect([...leases, ...misused]).toEqual([]);

        for (const [n, each] of stories.entries()) {
          const { fate, writes, lost } = each;
          const { status, body = '', headers } = answers[n]!;
          const events = callsOf(n);
          const attempted = events.filter(({ outcome }) => outcome === 'attempted');
          const [event, ...more] = events.filter(({ outcome }) => outcome !== 'attempted');
          const executed = journal.filter((entry) => entry === `executed ${n}`).length;

          expect(body).not.toContain(SECRET);
          // what may have had an effect is on the disk before it is begun, and before it is answered
          for (const { synced, outcome, attempt } of events)
            expect(synced).toBe(outcome === 'attempted' || attempt !== undefined);
          expect(more).toEqual([]);
          if (lost === 'outcome') {
            expect([event, status]).toEqual([undefined, 503]);
          } else if (event?.outcome === 'overloaded' && executed === 0) {
            // shed by the slots, or by a spool that could not keep the attempt
            expect(maxCalls < stories.length || (writes && lost === 'attempted')).toBe(true);
          } else {
            expect(event?.outcome).toBe(FATES[fate]);
            expect(event?.labels).toEqual(fate === 'an output that is hostile' ? ['hostile'] : undefined);
            seen.add(told(each));
          }
          if (status >= 500) expect(headers['Retry-After']).toBe('1');
          if (event !== undefined) {
            const { outcome, approval } = event;
            expect(askedOf(n)).toEqual(outcome === 'approval_needed' ? [approval] : []);
            expect([event.http, status]).toEqual(
              Array(2).fill(outcome === 'allowed' ? 200 : REFUSALS[outcome as keyof typeof REFUSALS].http),
            );
          }

          expect(attempted.length).toBe(writes ? executed : 0);
          expect(executed).toBeLessThanOrEqual(1);
          if (event !== undefined) expect(event.attempt).toBe(attempted[0]?.id);
          const order = journal.filter((entry) => entry.endsWith(` ${n}`));
          expect(order).toEqual([
            ...(writes && executed ? [`attempted ${n}`] : []),
            ...(executed ? [`executed ${n}`] : []),
            ...(lost === 'outcome' ? [] : [`told ${n}`]),
          ]);
        }
      },
    ),
    // all of them at once, with room for each, and then at random
    { numRuns: 250, examples: [[EVERY_STORY, 2 * EVERY_STORY.length]] },
  );
  expect([...seen].sort()).toEqual(EVERY_STORY.map(told).sort());
});
