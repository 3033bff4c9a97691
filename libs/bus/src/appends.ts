import { Refusal } from '@portcullis/contract/refusals';
import type { Link } from './outbox.js';

/** An append that was not answered yet. */
export interface Waiting {
  readonly link: Link;
  /** it waits for the disk, too */
  readonly synced: boolean;
  readonly resolve: (event: Link['event']) => void;
  readonly reject: (error: Refusal) => void;
}

/** What a caller is told to wait when an event could not be kept. */
const RETRY_AFTER = 1000;
export const overloaded = (detail: string, cause?: unknown): Refusal =>
  new Refusal('overloaded', { retryAfterMs: RETRY_AFTER }, { detail, cause });

/** Answers those of a batch that was written who do not wait for the disk. @returns does anybody? */
export function answerWritten(batch: readonly Waiting[]): boolean {
  let some = false;
  for (const { link, synced, resolve } of batch) {
    if (synced) some = true;
    else resolve(link.event);
  }
  return some;
}

/**
 * Answers the others when the disk has what was written.
 * @param failed the detail of their refusal when it has not
 */
export async function answerSynced(batch: readonly Waiting[], synced: Promise<void>, failed: string): Promise<void> {
  const ended = await synced.then(
    () => undefined,
    (error: unknown) => overloaded(failed, error),
  );
  for (const { link, synced: waits, resolve, reject } of batch) {
    if (!waits) continue;
    if (ended) reject(ended);
    else resolve(link.event);
  }
}
