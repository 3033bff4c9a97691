import type { Message } from './bus.js';
import type { Segment } from './segment.file.js';

/** Events that were written in one piece. */
export interface Batch {
  readonly segment: Segment;
  /** bytes of the segment before it */
  readonly at: number;
  /** bytes of the segment up to its end */
  readonly end: number;
  readonly messages: readonly Message[];
}

/** Beyond this the oldest go; they are in the file. */
const MAX_BYTES = 4 * 1024 * 1024;

/** What was written last and not shipped yet, so that it need not be read back from the file while all goes well. */
export class RecentBatches {
  #batches: Batch[] = [];
  #bytes = 0;

  add(batch: Batch): void {
    this.#batches.push(batch);
    this.#bytes += batch.end - batch.at;
    while (this.#bytes > MAX_BYTES) this.#drop(1);
  }

  /** Forgets what lies before a place in the first segment. */
  forget(first: Segment, before: number): void {
    const kept = this.#batches.findIndex(({ segment, end }) => segment !== first || end > before);
    this.#drop(kept === -1 ? this.#batches.length : kept);
  }

  /**
   * The batches in a row that begin at a place of a segment.
   * @param until bytes of the segment that the last may reach to
   */
  from(first: Segment, at: number, until: number): readonly Batch[] {
    const oldest = this.#batches[0];
    if (oldest?.segment !== first || oldest.at !== at) return [];
    const after = this.#batches.findIndex(({ segment, end }) => segment !== first || end > until);
    return after === -1 ? this.#batches : this.#batches.slice(0, after);
  }

  /** The batches of a segment from a place on; undefined when they are not all remembered. */
  since(segment: Segment, place: number): readonly Batch[] | undefined {
    const batches = this.#batches.filter((batch) => batch.segment === segment && batch.at >= place);
    return (batches[0]?.at ?? segment.size) === place ? batches : undefined;
  }

  /** Where the first batch behind a place of a segment begins, in bytes; undefined when there is none. */
  startAfter(first: Segment, place: number): number | undefined {
    return this.#batches.find(({ segment, at }) => segment === first && at > place)?.at;
  }

  #drop(count: number): void {
    for (const { at, end } of this.#batches.splice(0, count)) this.#bytes -= end - at;
  }
}
