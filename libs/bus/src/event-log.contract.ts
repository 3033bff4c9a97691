import { afterEach, describe, expect, it } from '@jest/globals';
import type { AuditEvent, EventDraft } from '@portcullis/audit-schemas/envelope';
import type { EventLog } from './outbox.js';
import { chainOf, draft } from './outbox.fixture.js';

/** A log to be tested, and the lines it has kept or handed on by the time it is closed, in order. */
export interface LogUnderTest {
  readonly log: EventLog;
  lines(): readonly string[];
}

/** What every event log does, wherever it keeps its events. */
export function eventLogContract(name: string, open: () => Promise<LogUnderTest>): void {
  describe(`an event log: ${name}`, () => {
    let opened: LogUnderTest[] = [];
    const log = async (): Promise<LogUnderTest> => {
      const one = await open();
      opened.push(one);
      return one;
    };
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((one) => one.log.close()));
      opened = [];
    });

    it('answers with the event, which has its place in the chain', async () => {
      const one = await log();
      expect(await one.log.append(draft('first'))).toMatchObject({ seq: 1, data: { method: 'first' } });
      expect(await one.log.append(draft('second'), { synced: true })).toMatchObject({ seq: 2 });
      expect(one.log.stats()).toMatchObject({ spooled: 2, lost: 0 });
      await one.log.close();
      expect(chainOf(one.lines())).toEqual(['first', 'second']);
    });

    it('keeps the order of many in a turn and over turns, each once, in one chain', async () => {
      const one = await log();
      const names = Array.from({ length: 300 }, (_, i) => `m${i}`);
      const answered: Promise<AuditEvent>[] = [];
      for (const [i, method] of names.entries()) {
        answered.push(one.log.append(draft(method), { synced: i % 3 === 0 }));
        if (i % 7 === 0) await new Promise(setImmediate);
      }
      const events = await Promise.all(answered);
      await one.log.close();
      expect(one.lines()).toEqual(events.map((event) => JSON.stringify(event)));
      expect(chainOf(one.lines())).toEqual(names);
    });

    it('refuses what is no event as a bug, and the chain knows nothing of it', async () => {
      const one = await log();
      const outcomes = await Promise.allSettled([
        one.log.append(draft('m1')),
        one.log.append(draft('x'.repeat(200))),
        one.log.append({ ...draft('m2'), tenant: 'No Tenant' } as EventDraft),
        one.log.append(draft('m3')),
      ]);
      expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
      for (const bad of [outcomes[1], outcomes[2]]) expect(bad).toMatchObject({ reason: { code: 'internal' } });
      await one.log.close();
      expect(chainOf(one.lines())).toEqual(['m1', 'm3']);
    });

    it('leaves each event with its tenant', async () => {
      const one = await log();
      await Promise.all(['acme', 'globex', 'acme'].map((tenant) => one.log.append(draft('m', tenant))));
      await one.log.close();
      expect(one.lines().map((line) => (JSON.parse(line) as AuditEvent).tenant)).toEqual(['acme', 'globex', 'acme']);
    });

    it('is closed once and for all, with what was appended before', async () => {
      const one = await log();
      const before = one.log.append(draft('before'), { synced: true });
      await Promise.all([one.log.close(), one.log.close()]);
      expect(await before).toMatchObject({ seq: 1 });
      expect(chainOf(one.lines())).toEqual(['before']);
    });
  });
}

/** Logs that answer for their events refuse when they cannot; one that counts its losses does not. */
export function refusingLogContract(name: string, open: () => Promise<LogUnderTest>): void {
  describe(`an event log that refuses: ${name}`, () => {
    it('takes nothing after its end', async () => {
      const { log } = await open();
      const closed = log.close();
      await expect(log.append(draft())).rejects.toMatchObject({ code: 'overloaded' });
      await closed;
      await expect(log.append(draft())).rejects.toMatchObject({
        code: 'overloaded',
        facts: { retryAfterMs: expect.any(Number) },
      });
    });
  });
}
