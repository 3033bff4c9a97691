import { afterAll, expect, test } from '@jest/globals';
import type { Bus } from '@portcullis/bus/bus';
import type { EventDraft } from '@portcullis/audit-schemas/envelope';
import { silentLog } from '@portcullis/contract/log';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEventLog, type EventLogSettings } from './event-log.wire.js';

const folder = mkdtempSync(join(tmpdir(), 'portcullis-events-'));
afterAll(() => rmSync(folder, { recursive: true }));

const draft: EventDraft = {
  type: 'portcullis.admin.v1',
  tenant: 'default',
  at: Date.UTC(2026, 0, 1),
  data: { action: 'client.added', actor: 'a', reason: 'x'.repeat(900) },
};
const MIB = 1024 * 1024;
let opened = 0;
const open = (settings: Partial<EventLogSettings>, publish: Bus['publish']) => {
  const dir = join(folder, String((opened += 1)));
  const bus = { publish, subscribe: () => Promise.reject(new Error('only publishes')), close: async () => {} };
  return openEventLog({ OUTBOX_DIR: dir, ...settings }, 'mcp-server', { bus, log: silentLog }).then((events) => ({
    dir,
    events,
  }));
};
const refuses: Bus['publish'] = () => Promise.reject(new Error('no broker'));
/** More than has room. */
const many = (append: (draft: EventDraft) => Promise<unknown>) =>
  Promise.allSettled(Array.from({ length: 1200 }, () => append(draft)));

test('a log keeps its events in a folder of the service, and refuses when it is full', async () => {
  const { dir, events } = await open({ OUTBOX_MAX_BYTES: MIB }, refuses);
  const outcomes = await many(events.append);
  expect(readdirSync(dir)).toEqual(['mcp-server']);
  expect(outcomes.at(-1)).toMatchObject({ status: 'rejected', reason: { code: 'overloaded' } });
  expect(events.stats().lost).toBe(0);
  await events.close();
});

test('one that counts answers all the same, and says how many it lost', async () => {
  const { events } = await open({ OUTBOX_MAX_BYTES: MIB, OUTBOX_FULL: 'count' }, refuses);
  const outcomes = await many(events.append);
  expect(outcomes.every(({ status }) => status === 'fulfilled')).toBe(true);
  const { spooled, lost } = events.stats();
  expect([spooled + lost, lost > 0]).toEqual([1200, true]);
  await events.close();
});

test('one that goes straight to the bus has no folder, and answers when the bus has the event', async () => {
  const taken: string[] = [];
  const publish: Bus['publish'] = async (_topic, messages) => void taken.push(...messages.map(({ value }) => value));
  const { dir, events } = await open({ OUTBOX: 'direct' }, publish);
  const { id } = await events.append(draft);
  expect(taken.map((line) => (JSON.parse(line) as { id: string }).id)).toEqual([id]);
  expect(readdirSync(folder)).not.toContain(dir.slice(folder.length + 1));
  await events.close();
});
