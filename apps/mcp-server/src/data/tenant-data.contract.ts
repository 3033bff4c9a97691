import type { Database } from '@portcullis/sql/database';
import { migrate } from '@portcullis/sql/migrate.sql';
import { removeTenant, seedTenant } from './seed.sql.js';
import type { ToolTables } from './tables.sql.js';
import { SCHEMA, tenantData } from './tenant-data.sql.js';

const NOW = Date.UTC(2026, 10, 20, 12);
/** What the protected server keeps, in a database of either kind. @param open an empty one */
export function tenantDataContract(open: () => Promise<Database>): void {
  let database: Database;
  beforeAll(async () => {
    database = await open();
    await migrate(database, SCHEMA, new URL('../../migrations/', import.meta.url));
  }, 60_000);
  afterAll(() => database.close());
  const dataOf = (tenant: string) => tenantData(database, () => NOW)(tenant);

  it('gives a tenant its rows once, and never again what was deleted since', async () => {
    expect(await seedTenant(database, 'default', NOW)).toBe(true);
    await dataOf('default').customers.remove('12345');
    expect(await seedTenant(database, 'default', NOW + 1)).toBe(false);
    await expect(dataOf('default').customers.byId('12345')).rejects.toMatchObject({ code: 'row_forbidden' });
    expect((await dataOf('default').customers.recent(50)).length).toBe(4);
  });

  it('two starts at once seed once', async () => {
    const done = await Promise.all([seedTenant(database, 'drill-x', NOW), seedTenant(database, 'drill-x', NOW)]);
    expect(done.sort()).toEqual([false, true]);
    expect((await dataOf('drill-x').customers.recent(50)).length).toBe(5);
  });

  it('what one tenant loses, another keeps', async () => {
    await seedTenant(database, 'drill-y', NOW);
    expect(await removeTenant(database, 'drill-y')).toBe(5);
    expect(await dataOf('drill-y').customers.recent(50)).toEqual([]);
    expect((await dataOf('drill-x').customers.spentCents('12345')).cents).toBe(53_900);
  });

  it('rows cannot refer to rows of another tenant', async () => {
    const db = database.everyTenant<{ purchases: Record<string, unknown> }>(SCHEMA);
    const foreign = { tenant: 'drill-y', customer_id: '12345', amount_cents: 1, bought_at: new Date(NOW) };
    await expect(
      db
        .insertInto('purchases')
        .values(foreign as never)
        .execute(),
    ).rejects.toMatchObject({ code: '23503' });
  });

  it('values reach the database as values', async () => {
    const { customers, tickets } = dataOf('drill-x');
    const evil = "'; drop table tools.customers; --";
    await expect(customers.byId(evil)).rejects.toMatchObject({ code: 'row_forbidden' });
    expect((await customers.update('67890', { name: evil })).name).toBe(evil);
    const { ticket_id } = await tickets.create({
      customer_id: '67890',
      subject: evil,
      description: evil,
      priority: 'low',
    });
    expect(await tickets.byId(ticket_id)).toMatchObject({ subject: evil, created_at: '2026-11-20T12:00:00.000Z' });
    expect((await customers.page(evil, 10)).rows.length).toBe(5);
  });

  it('an empty page has no next, and a full one has none when nothing follows', async () => {
    const { customers } = dataOf('drill-x');
    expect(await dataOf('drill-none').customers.page(undefined, 10)).toEqual({ rows: [], next: null });
    expect((await customers.page(undefined, 5)).next).toBeNull();
    expect((await customers.page(undefined, 4)).next).toBe('QRS456');
  });

  describe('attachments and mail', () => {
    const PNG = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0, 255, 10, 13]);
    const file = (ticket_id: string) =>
      ({ ticket_id, name: 'a.png', type: 'image/png', sha256: '00', scan: 'not_scanned', content: PNG }) as const;
    const kept = (tenant: string) =>
      database
        .everyTenant<ToolTables>(SCHEMA)
        .selectFrom('attachments')
        .selectAll()
        .where('tenant', '=', tenant)
        .execute();
    beforeAll(async () => {
      await seedTenant(database, 'mail-a', NOW);
      await seedTenant(database, 'mail-b', NOW);
    });

    it('an attachment is kept byte by byte, numbered by its tenant', async () => {
      const added = await dataOf('mail-a').attachments.add(file('T-000001'), ['12345']);
      const { content: _, ...shown } = file('T-000001');
      expect(added).toEqual({
        ...shown,
        attachment_id: 'A-100001',
        size_bytes: 8,
        created_at: '2026-11-20T12:00:00.000Z',
      });
      const [row] = await kept('mail-a');
      expect([...row!.content]).toEqual([...PNG]);
      expect((await dataOf('mail-b').attachments.add(file('T-000001'), ['12345'])).attachment_id).toBe('A-100001');
    });

    it('an attachment needs a ticket of its own tenant', async () => {
      const { tickets } = dataOf('mail-a');
      const fresh = { customer_id: '67890', subject: 's', description: 'd', priority: 'low' } as const;
      const { ticket_id } = await tickets.create(fresh);
      for (const id of [ticket_id, 'T-999999']) {
        await expect(dataOf('mail-b').attachments.add(file(id), ['67890'])).rejects.toMatchObject({
          code: 'row_forbidden',
        });
      }
    });

    it('a ticket takes twenty attachments, also from many at once', async () => {
      const { attachments } = dataOf('mail-b');
      const all = await Promise.allSettled(
        Array.from({ length: 30 }, () => attachments.add(file('T-000002'), ['ABC123'])),
      );
      const refused = all.flatMap((one) => (one.status === 'rejected' ? [one.reason.code] : []));
      expect(refused).toEqual(Array(10).fill('input_invalid'));
      expect((await kept('mail-b')).filter(({ ticket_id }) => ticket_id === 'T-000002')).toHaveLength(20);
    });

    it('tells whose tickets and attachments these are, of its own tenant only', async () => {
      const { tickets, attachments } = dataOf('mail-a');
      expect((await tickets.customersOf(['T-000001', 'T-000002'])).toSorted()).toEqual(['12345', 'ABC123']);
      expect(await tickets.customersOf(['T-000001', 'T-999999', 'T-000001'])).toEqual(['12345', undefined]);
      expect(await tickets.customersOf(['T-000001', 'T-000001'])).toEqual(['12345']);
      expect(await attachments.customersOf(['A-100001', 'A-999999'])).toEqual(['12345', undefined]);
      expect(await dataOf('mail-none').tickets.customersOf(['T-000001'])).toEqual([undefined]);
      expect(await dataOf('mail-none').attachments.customersOf(['A-100001'])).toEqual([undefined]);
    });

    it.each([
      ['tickets', ['T-000001', 'T-999999']],
      ['attachments', ['A-100001', 'A-999999']],
    ] as const)('of %s all are deleted or none', async (dataset, ids) => {
      await expect(dataOf('mail-a')[dataset].remove(ids, ['12345'])).rejects.toMatchObject({ code: 'row_forbidden' });
      expect(await dataOf('mail-a')[dataset].customersOf(ids)).toEqual(['12345', undefined]);
      const none = dataOf('mail-none')[dataset].remove([ids[0]], ['12345']);
      await expect(none).rejects.toMatchObject({ code: 'row_forbidden' });
    });

    it.each([[['67890']], [[]]])('what is of none of the customers %j is not there for a write', async (of) => {
      const { tickets, attachments } = dataOf('mail-a');
      const rows = await kept('mail-a');
      for (const write of [
        () => attachments.add(file('T-000001'), of),
        () => attachments.remove(['A-100001'], of),
        () => tickets.remove(['T-000001'], of),
      ])
        await expect(write()).rejects.toMatchObject({ code: 'row_forbidden' });
      expect(await kept('mail-a')).toEqual(rows);
      expect(await tickets.customersOf(['T-000001'])).toEqual(['12345']);
    });

    it('an attachment goes alone, and a ticket with all of its own', async () => {
      const { tickets, attachments } = dataOf('mail-a');
      const second = await attachments.add(file('T-000001'), ['12345']);
      await attachments.remove(['A-100001', 'A-100001'], ['12345']);
      expect(await attachments.customersOf(['A-100001', second.attachment_id])).toEqual(['12345', undefined]);
      await tickets.remove(['T-000001'], ['12345']);
      expect(await kept('mail-a')).toEqual([]);
      expect((await kept('mail-b')).length).toBe(21);
    });

    it('a mailing is one row for each customer, or none when one is unknown or of another tenant', async () => {
      const { customers, mail } = dataOf('mail-b');
      const rows = () =>
        database
          .everyTenant<ToolTables>(SCHEMA)
          .selectFrom('outgoing_mail')
          .selectAll()
          .orderBy('customer_id')
          .execute();
      const words = { subject: "'; --", body: 'Hello\nthere' };
      await dataOf('mail-a').customers.remove('QRS456');
      for (const stranger of ['QRS456', 'NOBODY']) {
        const sent = dataOf('mail-a').mail.queue({ customer_ids: ['12345', stranger], ...words }, NOW);
        await expect(sent).rejects.toMatchObject({ code: 'row_forbidden' });
      }
      expect(await rows()).toEqual([]);
      expect(await mail.queue({ customer_ids: ['67890', '12345', '12345'], ...words }, NOW)).toEqual({
        mail_id: 'M-100001',
        queued: 2,
      });
      expect(await rows()).toMatchObject([
        { tenant: 'mail-b', mail_id: 'M-100001', customer_id: '12345', address: 'ada.palmer@example.com', ...words },
        { customer_id: '67890' },
      ]);
      await customers.remove('67890');
      expect(await rows()).toHaveLength(1);
    });

    it('no mail goes to an address that became another one since the mailing was asked for', async () => {
      const { customers, mail } = tenantData(database, () => NOW)('mail-b');
      const rows = () =>
        database.everyTenant<ToolTables>(SCHEMA).selectFrom('outgoing_mail').select('mail_id').execute();
      const { length } = await rows();
      const letter = { customer_ids: ['12345', 'ABC123'], subject: 'News', body: 'Some.' };
      const { email } = await customers.byId('ABC123');
      await customers.update('ABC123', { email, phone: '555 0100' });
      expect(await mail.queue(letter, NOW - 60_000)).toMatchObject({ queued: 2 });
      await customers.update('ABC123', { email: 'elsewhere@example.com' });
      await customers.update('ABC123', { email: 'elsewhere@example.com', name: 'Somebody' });
      for (const askedAt of [NOW - 60_000, NOW]) {
        await expect(mail.queue(letter, askedAt)).rejects.toMatchObject({ code: 'approval_needed' });
      }
      expect(await rows()).toHaveLength(length + 2);
      expect(await mail.queue(letter, NOW + 1)).toMatchObject({ queued: 2 });
      expect(await customers.byId('ABC123')).not.toHaveProperty('email_changed_at');
    });
  });
}
