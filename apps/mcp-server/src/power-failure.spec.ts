import type { AuditEvent, EventData } from '@portcullis/audit-schemas/envelope';
import { ForgetfulDisk } from '@portcullis/bus/forgetful-disk.fixture';
import {
  linesIn,
  notingBus,
  openTestOutbox,
  removeTemporaryDirectories,
  temporaryDirectory,
} from '@portcullis/bus/outbox.fixture';
import type { OutboxSync } from '@portcullis/bus/outbox.file';
import { v7 as uuidv7 } from 'uuid';
import { call, startRig } from './rig.fixture.js';

/** A server whose disk takes its time to sync: what an answer does not wait for is not there yet when it arrives. */
async function startSlowly(sync: OutboxSync) {
  const dir = temporaryDirectory();
  const disk = new ForgetfulDisk();
  disk.delayMs = 40;
  const events = await openTestOutbox(dir, notingBus('refuses'), { disk, sync, newId: uuidv7, segmentBytes: 10_000 });
  const rig = await startRig({}, { events });
  /** The outcomes of a call that a power failure now would leave on record, in order. */
  const leftOf = (correlationId: string): string[] =>
    linesIn(disk.afterPowerFailure(dir))
      .map((line) => (JSON.parse(line) as AuditEvent).data as EventData<'portcullis.call.v1'>)
      .flatMap((data) => (data.correlationId === correlationId ? [data.outcome] : []));
  /** @returns what is left when the power fails as soon as the answer is there */
  const leftAfter = async (tool: string, args: unknown, client: string): Promise<string[]> => {
    const scope = 'customer:read ticket:create';
    const { status, headers } = await rig.post(call(tool, args), { client, scope });
    expect(status).toBe(200);
    return leftOf(headers.get('x-correlation-id') ?? '');
  };
  return {
    leftAfter,
    close: async () => {
      await rig.close();
      await events.close();
    },
  };
}

const TICKET = { customer_id: '12345', subject: 'a', description: 'b' };

afterAll(removeTemporaryDirectories);

it('a call with an effect that was answered is on record after a power failure, its attempt and its outcome', async () => {
  const { leftAfter, close } = await startSlowly('effects');
  const left = await Promise.all(
    Array.from({ length: 24 }, async (_, i) => {
      const client = `agent-${i % 4}`;
      // reads between them keep the disk busy, and wait for nothing
      await leftAfter('get_customer_info', { customer_id: '12345' }, client);
      return leftAfter('create_support_ticket', TICKET, client);
    }),
  );
  expect(left).toEqual(left.map(() => ['attempted', 'allowed']));
  await close();
}, 30_000);

it('where nothing waits for the disk, it may be forgotten', async () => {
  const { leftAfter, close } = await startSlowly('none');
  expect(await leftAfter('create_support_ticket', TICKET, 'agent')).not.toContain('allowed');
  await close();
});
