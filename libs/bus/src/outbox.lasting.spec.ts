import { afterAll, describe, expect, it } from '@jest/globals';
import type { EventDraft } from '@portcullis/audit-schemas/envelope';
import { ForgetfulDisk } from './forgetful-disk.fixture.js';
import type { OutboxSync } from './outbox.file.js';
import {
  draft,
  notingBus,
  openTestOutbox,
  removeTemporaryDirectories,
  temporaryDirectory,
  until,
} from './outbox.fixture.js';

const at = Date.UTC(2026, 0, 1);
const decision = (type: string, data: object): EventDraft => ({ type, tenant: 'acme', at, data }) as EventDraft;
/** What holds from now on, by whoever decided it. */
const DECISIONS: Readonly<Record<string, EventDraft>> = {
  'a change by an administrator': decision('portcullis.admin.v1', { action: 'client.disabled', actor: 'usr_a' }),
  'a containment': decision('portcullis.standing.v1', {
    from: 'Normal',
    to: 'Isolated',
    why: 'five denials',
    by: 'rule:denials',
  }),
  'an approval': decision('portcullis.approval.v1', {
    action: 'approval.given',
    approval: 'apr_a',
    tool: 'delete_customer',
  }),
  'a consent': decision('portcullis.auth.v1', { action: 'consent.granted', clientId: 'c' }),
  'a revocation': decision('portcullis.auth.v1', { action: 'grant.revoked', clientId: 'c', reason: 'asked' }),
};
const PASSING: Readonly<Record<string, EventDraft>> = {
  'a call': draft(),
  'a token that lives for minutes': decision('portcullis.auth.v1', { action: 'token.issued', clientId: 'c' }),
};
afterAll(removeTemporaryDirectories);

const turns = async (): Promise<void> => {
  for (let i = 0; i < 5; i += 1) await new Promise(setImmediate);
};
/** Appends on a disk that syncs nothing, has the power fail, and starts the machine again. */
async function throughPowerFailure(event: EventDraft, sync: OutboxSync = 'effects') {
  const disk = new ForgetfulDisk();
  const dir = temporaryDirectory();
  const log = await openTestOutbox(dir, notingBus('refuses'), { disk, sync });
  // a sync that is under way does not speak for what comes now
  await log.append(draft('before'));
  disk.slow = true;
  let answered = false;
  const appended = log.append(event).then(() => (answered = true));
  await turns();
  const answeredUnsynced = answered;
  const lostIt = disk.afterPowerFailure(dir);
  while (!answered) {
    disk.letGo();
    await turns();
  }
  await appended;
  const keptIt = disk.afterPowerFailure(dir);
  disk.slow = false;
  disk.letGo();
  await log.close();
  const after = async (copy: string): Promise<unknown[]> => {
    const bus = notingBus();
    const again = await openTestOutbox(copy, bus, { disk });
    await until(() => again.stats().pending === 0);
    await again.close();
    const events = bus.taken.map(({ value }) => JSON.parse(value) as { type: string; data: object });
    return events.filter(({ type, data }) => type === event.type && !('method' in data && data.method === 'before'));
  };
  return { answeredUnsynced, before: await after(lostIt), afterwards: await after(keptIt) };
}

describe.each(Object.entries(DECISIONS))('%s', (_what, event) => {
  it('is answered when no power failure can undo its event, though nobody asked for that', async () => {
    const { answeredUnsynced, before, afterwards } = await throughPowerFailure(event);
    expect([answeredUnsynced, before]).toEqual([false, []]);
    expect(afterwards).toMatchObject([{ type: event.type, tenant: 'acme', data: event.data }]);
  });

  it('is answered before that where nothing waits for the disk', async () => {
    expect((await throughPowerFailure(event, 'none')).answeredUnsynced).toBe(true);
  });
});

it.each(Object.entries(PASSING))('%s is answered at once', async (_what, event) => {
  expect((await throughPowerFailure(event)).answeredUnsynced).toBe(true);
});
