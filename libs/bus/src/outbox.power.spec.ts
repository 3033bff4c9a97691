import { afterAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ForgetfulDisk } from './forgetful-disk.fixture.js';
import type { EventLog } from './outbox.js';
import type { OutboxSync } from './outbox.file.js';
import {
  chainOf,
  draft,
  notingBus,
  openTestOutbox,
  removeTemporaryDirectories,
  temporaryDirectory,
} from './outbox.fixture.js';

/** What can happen to a machine with an outbox. */
type Step =
  /** calls of one turn; true = its tool has an effect */
  | { readonly kind: 'calls'; readonly effects: readonly boolean[] }
  | { readonly kind: 'the bus'; readonly mode: 'takes' | 'refuses' }
  | { readonly kind: 'the disk'; readonly is: 'quick' | 'slow' }
  | { readonly kind: 'time passes'; readonly turns: number }
  | { readonly kind: 'restart' }
  /** `kept`: how much of what was not synced the disk has all the same, 0 to 1 */
  | { readonly kind: 'power failure'; readonly kept: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('calls' as const),
      effects: fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('the bus' as const), mode: fc.constantFrom('takes', 'refuses') }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('the disk' as const), is: fc.constantFrom('quick', 'slow') }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('time passes' as const), turns: fc.integer({ min: 1, max: 9 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('power failure' as const),
      kept: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1, noNaN: true })),
    }),
  },
) as fc.Arbitrary<Step>;

/** A machine that goes through steps, and what its callers were answered. */
class Machine {
  /** every answered call, and those of them that had an effect */
  readonly answered: string[] = [];
  readonly withEffect: string[] = [];
  private readonly bus = notingBus();
  private readonly disk = new ForgetfulDisk();
  private readonly underWay: Promise<unknown>[] = [];
  private named = 0;
  private boots = 0;
  private log: EventLog | undefined;

  constructor(private readonly sync: OutboxSync) {}

  private dir = temporaryDirectory();

  async open(): Promise<void> {
    this.boots += 1;
    this.log = await openTestOutbox(this.dir, this.bus, { disk: this.disk, segmentBytes: 1500, sync: this.sync });
  }

  private call(effect: boolean): void {
    const method = `m${(this.named += 1)}`;
    const boot = this.boots;
    const answer = this.log?.append(draft(method), { synced: effect }).then(
      () => {
        // nobody is answered by a machine that is off
        if (boot !== this.boots) return;
        this.answered.push(method);
        if (effect) this.withEffect.push(method);
      },
      () => undefined,
    );
    this.underWay.push(Promise.resolve(answer));
  }

  async go(step: Step): Promise<void> {
    switch (step.kind) {
      case 'calls':
        for (const effect of step.effects) this.call(effect);
        return turns(1);
      case 'the bus':
        this.bus.mode = step.mode;
        return;
      case 'the disk':
        this.disk.slow = step.is === 'slow';
        if (!this.disk.slow) this.disk.letGo();
        return;
      case 'time passes':
        return turns(step.turns);
      case 'restart':
        await this.stop();
        return this.open();
      case 'power failure':
        return this.fail(step.kept);
    }
  }

  private async stop(): Promise<void> {
    this.disk.slow = false;
    this.disk.letGo();
    await this.log?.close();
    await Promise.all(this.underWay.splice(0));
  }

  private async fail(kept: number): Promise<void> {
    const { mode } = this.bus;
    this.bus.mode = 'refuses';
    this.boots += 1;
    const copy = this.disk.afterPowerFailure(this.dir, kept);
    await this.stop();
    this.dir = copy;
    this.bus.mode = mode;
    await this.open();
  }

  /** @returns every event that the bus got, in order */
  async end(): Promise<string[]> {
    this.bus.mode = 'takes';
    await this.stop();
    return chainOf(this.bus.taken.map(({ value }) => value));
  }
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) await new Promise(setImmediate);
}

/** @returns what was missing of what had to be there */
async function missingAfter(steps: readonly Step[], sync: OutboxSync, wanted: 'answered' | 'withEffect') {
  const machine = new Machine(sync);
  await machine.open();
  for (const step of steps) await machine.go(step);
  const found = new Set(await machine.end());
  return machine[wanted].filter((method) => !found.has(method));
}

afterAll(removeTemporaryDirectories);

describe('a machine whose power fails', () => {
  const histories = fc.array(step, { minLength: 1, maxLength: 25 });

  it('has every call that it answered and that had an effect, in one chain without a gap', async () => {
    await fc.assert(
      fc.asyncProperty(histories, async (steps) => {
        expect(await missingAfter(steps, 'effects', 'withEffect')).toEqual([]);
      }),
      { numRuns: 150 },
    );
  }, 60_000);

  it('has every call that it answered, where all wait for the disk', async () => {
    await fc.assert(
      fc.asyncProperty(histories, async (steps) => {
        expect(await missingAfter(steps, 'all', 'answered')).toEqual([]);
      }),
      { numRuns: 100 },
    );
  }, 60_000);

  it('may forget what it answered where nothing waits for the disk', async () => {
    const steps: Step[] = [
      { kind: 'the disk', is: 'slow' },
      { kind: 'calls', effects: [true] },
      { kind: 'time passes', turns: 3 },
      { kind: 'power failure', kept: 0 },
    ];
    expect(await missingAfter(steps, 'none', 'withEffect')).toEqual(['m1']);
    expect(await missingAfter(steps, 'effects', 'withEffect')).toEqual([]);
  });
});
