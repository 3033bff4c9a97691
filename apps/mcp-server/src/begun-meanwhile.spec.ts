import type { EventLog } from '@portcullis/bus/outbox';
import { createServer, type AddressInfo } from 'node:net';
import { v7 as uuidv7 } from 'uuid';
import { person, refusalIn, withApproval } from './approvals.fixture.js';
import { call, startRig, type Rig, type TokenWords } from './rig.fixture.js';

let rig: Rig;
afterEach(() => rig.close());

/** Something that is reached, and then waits until it is let go on. */
function gate() {
  const reached = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<void>();
  return { reached, opened };
}

test('what was exported is not deleted, also when the deletion began before the export and waited for its record', async () => {
  const { reached, opened } = gate();
  const events: EventLog = {
    async append(draft) {
      const { outcome, tool } = draft.data as { outcome?: string; tool?: string };
      if (outcome === 'attempted' && tool === 'delete_records') {
        reached.resolve();
        await opened.promise;
      }
      return { id: uuidv7(), ...draft } as never;
    },
    close: async () => {},
    stats: () => ({ spooled: 0, pending: 0, lost: 0 }),
  };
  rig = await startRig({}, { events });
  const words: TokenWords = {
    client: 'agent',
    scope: 'customer:list data:export data:delete',
    claims: { task: 'tsk_1', customers_per_task: 1000, customers_per_hour: 5000 },
  };
  const args = { dataset: 'tickets', ids: ['T-000001'] };
  const { approvalUrl, approval } = refusalIn(await rig.post(call('delete_records', args), words));
  await person(rig, 'rita').decide(String(approvalUrl));

  const before = (await rig.rows())['tickets'];
  const deleting = rig.post(withApproval(approval, 'delete_records', args), words);
  await reached.promise;
  const exported = await rig.post(call('export_data', { dataset: 'tickets' }), words);
  expect(exported.json.result.structuredContent.rows.length).toBe(before);
  opened.resolve();
  const deleted = await deleting;
  expect([refusalIn(deleted)['code'], (await rig.rows())['tickets']]).toEqual(['chain_forbidden', before]);
});

describe('a ticket that is made while a file for its id is scanned', () => {
  test.each<[string, Record<string, unknown>]>([
    ['a task that is bound to another customer', { task: 'tsk_1', task_customer_id: '12345' }],
    ['a task with a budget, of which it was not taken', { task: 'tsk_1' }],
  ])('gets nothing from %s', async (_what, claims) => {
    const { reached, opened } = gate();
    const clamd = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', (bytes) => {
        if (!bytes.toString('latin1').includes('zINSTREAM')) return void socket.end('PONG\0');
        reached.resolve();
        void opened.promise.then(() => socket.end('stream: OK\0'));
      });
    });
    await new Promise<void>((resolve) => clamd.listen(0, '127.0.0.1', resolve));
    const { port } = clamd.address() as AddressInfo;
    rig = await startRig({ CLAMD_HOST: '127.0.0.1', CLAMD_PORT: String(port) });
    try {
      const maker = { client: 'maker', scope: 'ticket:create' };
      const fresh = { customer_id: '67890', subject: 's', description: 'd' };
      const ticket = async (): Promise<string> =>
        (await rig.post(call('create_support_ticket', fresh), maker)).json.result.structuredContent.ticket_id;
      const next = `T-${String(Number((await ticket()).slice(2)) + 1).padStart(6, '0')}`;
      const attaching = rig.post(
        call('attach_file_to_ticket', { ticket_id: next, name: 'a.txt', content: 'aGVsbG8=' }),
        { client: 'other', scope: 'ticket:create', claims },
      );
      await Promise.race([reached.promise, attaching]);
      expect(await ticket()).toBe(next);
      opened.resolve();
      expect(refusalIn(await attaching)['code']).toBe('row_forbidden');
      expect((await rig.rows())['attachments']).toBe(0);
    } finally {
      clamd.close();
    }
  });
});
