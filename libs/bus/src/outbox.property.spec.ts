import { afterAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { appendFileSync, existsSync } from 'node:fs';
import type { EventLog } from './outbox.js';
import {
  asKilled,
  chainOf,
  draft,
  notingBus,
  openTestOutbox,
  removeTemporaryDirectories,
  segmentsIn,
  temporaryDirectory,
  type NotingBus,
} from './outbox.fixture.js';
import { nodeDisk, type Disk } from './spool.file.js';

/** What can happen to an outbox. */
type Step =
  | { readonly kind: 'append'; readonly events: number }
  | { readonly kind: 'append what is no event' }
  | { readonly kind: 'a write fails'; readonly room: number; readonly events: number }
  | { readonly kind: 'the bus'; readonly mode: 'takes' | 'refuses' }
  | { readonly kind: 'time passes'; readonly turns: number }
  | { readonly kind: 'restart' }
  | { readonly kind: 'kill'; readonly torn: string };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('append' as const), events: fc.integer({ min: 1, max: 5 }) }),
  fc.record({ kind: fc.constant('append what is no event' as const) }),
  fc.record({
    kind: fc.constant('a write fails' as const),
    room: fc.nat(1500),
    events: fc.integer({ min: 1, max: 5 }),
  }),
  fc.record({ kind: fc.constant('the bus' as const), mode: fc.constantFrom('takes' as const, 'refuses' as const) }),
  fc.record({ kind: fc.constant('time passes' as const), turns: fc.integer({ min: 1, max: 30 }) }),
  fc.record({ kind: fc.constant('restart' as const) }),
  fc.record({
    kind: fc.constant('kill' as const),
    torn: fc.constantFrom('', '{', '{"seq":1', '\0\0\0\0', 'x\n', '{"source":"s","seq":3,"prev":"p"}\n{"sou'),
  }),
);

/** An outbox that goes through steps, and what its callers know of it. */
class Story {
  readonly resolved: string[] = [];
  private readonly bus: NotingBus = notingBus();
  private readonly disk: Disk;
  private room: number | undefined;
  private named = 0;

  private constructor(
    private dir: string,
    private log: EventLog | undefined,
  ) {
    this.disk = {
      ...nodeDisk,
      writeSync: (fd, bytes, offset, length, position) => {
        if (this.room === undefined) return nodeDisk.writeSync(fd, bytes, offset, length, position);
        if (this.room === 0) throw new Error('no space');
        const some = Math.min(this.room, length);
        this.room -= some;
        nodeDisk.writeSync(fd, bytes, offset, some, position);
        return some;
      },
    };
  }

  static async begin(): Promise<Story> {
    const story = new Story(temporaryDirectory(), undefined);
    await story.open();
    return story;
  }

  private async open(): Promise<void> {
    this.log = await openTestOutbox(this.dir, this.bus, { disk: this.disk, segmentBytes: 1500 });
  }

  private async append(methods: readonly string[]): Promise<void> {
    const outcomes = await Promise.allSettled(methods.map(async (method) => this.log?.append(draft(method))));
    outcomes.forEach((outcome, i) => {
      if (outcome.status === 'fulfilled') this.resolved.push(methods[i] ?? '');
    });
  }

  private names(count: number): string[] {
    return Array.from({ length: count }, () => `m${(this.named += 1)}`);
  }

  async go(step: Step): Promise<void> {
    switch (step.kind) {
      case 'append':
        return this.append(this.names(step.events));
      case 'append what is no event':
        return this.append(['x'.repeat(1000)]);
      case 'a write fails':
        this.room = step.room;
        await this.append(this.names(step.events));
        this.room = undefined;
        return;
      case 'the bus':
        this.bus.mode = step.mode;
        return;
      case 'time passes':
        for (let i = 0; i < step.turns; i += 1) await new Promise(setImmediate);
        return;
      case 'restart':
        await this.log?.close();
        return this.open();
      case 'kill':
        return this.kill(step.torn);
    }
  }

  /** The killed process does nothing more: its bus refuses, while a copy of its directory goes on. */
  private async kill(torn: string): Promise<void> {
    const { mode } = this.bus;
    this.bus.mode = 'refuses';
    const copy = asKilled(this.dir);
    await this.log?.close();
    this.dir = copy;
    const last = segmentsIn(copy).at(-1);
    if (torn && last && existsSync(last)) appendFileSync(last, torn);
    this.bus.mode = mode;
    await this.open();
  }

  async end(): Promise<string[]> {
    this.bus.mode = 'takes';
    await this.log?.close();
    return chainOf(this.bus.taken.map(({ value }) => value));
  }
}

afterAll(removeTemporaryDirectories);

describe('the outbox, whatever happens to it', () => {
  it('hands on every event whose append resolved and no other, in order, in one chain without a gap', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
        const story = await Story.begin();
        for (const step of steps) await story.go(step);
        expect(await story.end()).toEqual(story.resolved);
      }),
      { numRuns: 40 },
    );
  }, 60_000);
});
