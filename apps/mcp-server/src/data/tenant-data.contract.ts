import type { Database } from '@portcullis/sql/database';
import { migrate } from '@portcullis/sql/migrate.sql';
import { removeTenant, seedTenant } from './seed.sql.js';
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
    const db = database.schema<{ purchases: Record<string, unknown> }>(SCHEMA);
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
}
