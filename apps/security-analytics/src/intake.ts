import type { Log } from '@portcullis/contract/log';
import type { Bury, Message } from '@portcullis/bus/bus';
import type { Announcer } from './announcer.js';
import type { AuditStore, Taken } from './audit-store.js';
import { isContradictory } from './evidence.js';
import { readLines } from './line.js';

export interface IntakePorts {
  readonly store: Pick<AuditStore, 'take'>;
  readonly announcer: Pick<Announcer, 'announce' | 'forget'>;
  readonly log: Log;
  /** told of every batch that is stored */
  counted(taken: Taken): void;
}

/**
 * What happens to a batch of `portcullis.events`: stored and reckoned with in one transaction, then announced, so that
 * an agent is contained by the time the bus is told that the batch was handled. Only a failure to store, or to bury, rejects,
 * and the bus brings the batch again: a message that cannot be read is a dead letter and must not stop those behind it, and
 * a failure to announce must not stop the audit.
 */
export const intake =
  ({ store, announcer, log, counted }: IntakePorts) =>
  async (messages: readonly Message[], bury: Bury): Promise<void> => {
    const { accepted, dead } = readLines(messages);
    // whole, so that a version that knows them can have them again; the store keeps their beginnings, to be looked at
    await Promise.all(dead.map(({ message, letter }) => bury(message, letter.reason)));
    const letters = dead.map(({ letter }) => letter);
    const taken = await store.take(accepted, letters);
    for (const { reason, hash } of letters) log.warn('a message is no event this version knows', { reason, hash });
    for (const { event } of accepted) {
      if (isContradictory(event)) log.warn('a call names another principal than its own', { event: event.id });
    }
    counted(taken);
    if (taken.transitions > 0) await announcer.announce();
    await announcer.forget(taken.forgotten);
  };
