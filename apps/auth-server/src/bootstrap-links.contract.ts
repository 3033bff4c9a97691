import type { BootstrapLinks } from './bootstrap-links.js';
import type { UserRecord, Users } from './users.js';

const T0 = Date.UTC(2026, 0, 1);
const yes = () => Promise.resolve();
const no = () => Promise.reject(new Error('the log is full'));
const admin = (tenant: string, username = 'ada', more: Partial<UserRecord> = {}): UserRecord => ({
  tenant,
  userId: `usr_${tenant}_${username}`,
  username,
  passwordHash: '$argon2id$',
  roles: ['admin'],
  demo: false,
  disabled: false,
  createdAt: T0,
  version: 1,
  ...more,
});

/** What every store of bootstrap links does. Each test keeps to tenants of its own. */
export function bootstrapLinksContract(open: () => Promise<{ links: BootstrapLinks; users: Users }>): void {
  let links: BootstrapLinks;
  let users: Users;
  beforeAll(async () => {
    ({ links, users } = await open());
  }, 60_000);

  test('a link makes one administrator and is gone', async () => {
    expect(await links.make('b1', 'h', T0 + 10)).toBe(true);
    expect(await links.isGood('b1', 'h', T0)).toBe(true);
    expect(await links.spend('b1', 'h', T0, admin('b1'), yes)).toBe('made');
    expect(await users.byName('b1', 'ada')).toEqual(admin('b1'));
    expect(await links.isGood('b1', 'h', T0)).toBe(false);
    expect(await links.spend('b1', 'h', T0, admin('b1', 'eve'), yes)).toBe('not_good');
    expect(await users.byName('b1', 'eve')).toBeUndefined();
  });

  test('a tenant with an administrator gets no link; one without a right to administer is none', async () => {
    await users.add('b2', admin('b2', 'sam', { roles: ['supervisor'] }), yes);
    await users.add('b2', admin('b2', 'old', { disabled: true }), yes);
    expect(await links.make('b2', 'h', T0 + 10)).toBe(true);
    await users.add('b2', admin('b2'), yes);
    expect(await links.isGood('b2', 'h', T0)).toBe(false);
    expect(await links.spend('b2', 'h', T0, admin('b2', 'eve'), yes)).toBe('not_good');
    expect(await links.make('b2', 'h2', T0 + 10)).toBe(false);
  });

  test('a link is good until its time is up, or until the next one is made', async () => {
    await links.make('b3', 'h', T0 + 10);
    expect(await links.isGood('b3', 'h', T0 + 10)).toBe(false);
    expect(await links.spend('b3', 'h', T0 + 10, admin('b3'), yes)).toBe('not_good');
    await links.make('b3', 'h2', T0 + 20);
    expect(await links.spend('b3', 'h', T0, admin('b3'), yes)).toBe('not_good');
    // who came with another leaves this one as it was
    expect(await links.spend('b3', 'h2', T0, admin('b3'), yes)).toBe('made');
  });

  test('a link of one tenant is to another what an unknown one is', async () => {
    await links.make('b4', 'h', T0 + 10);
    expect(await links.isGood('b5', 'h', T0)).toBe(false);
    expect(await links.spend('b5', 'h', T0, admin('b5'), yes)).toBe('not_good');
    expect(await links.isGood('b4', 'h', T0)).toBe(true);
  });

  test('what is not confirmed, or meets a name that is taken, leaves link and people as they were', async () => {
    await users.add('b6', admin('b6', 'ada', { roles: ['analyst'] }), yes);
    await links.make('b6', 'h', T0 + 10);
    expect(await links.spend('b6', 'h', T0, admin('b6', 'ada', { userId: 'usr_b6_2' }), yes)).toBe('name_taken');
    await expect(links.spend('b6', 'h', T0, admin('b6', 'eve'), no)).rejects.toThrow('the log is full');
    expect(await users.byName('b6', 'eve')).toBeUndefined();
    expect(await links.spend('b6', 'h', T0, admin('b6', 'eve'), yes)).toBe('made');
  });

  test('of many who come at once with one link, one gets in', async () => {
    await links.make('b7', 'h', T0 + 10);
    const names = ['a', 'b', 'c', 'd'];
    const came = await Promise.all(names.map((name) => links.spend('b7', 'h', T0, admin('b7', name), yes)));
    expect(came.filter((one) => one === 'made')).toHaveLength(1);
    expect((await users.list('b7', { limit: 10, after: undefined })).items).toHaveLength(1);
  });

  test('a link that was made goes on record once, and again where that failed', async () => {
    await links.putOnRecord(yes);
    await links.make('b8', 'h', T0 + 10);
    await expect(links.putOnRecord(no)).rejects.toThrow('the log is full');
    const seen: string[] = [];
    const note = async (tenant: string) => void seen.push(tenant);
    await links.putOnRecord(note);
    await links.putOnRecord(note);
    expect(seen).toEqual(['b8']);
  });
}
