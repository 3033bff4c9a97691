import type { UserChange, UserRecord, Users } from './users.js';
import { VersionDiffers } from './versions.js';

const T0 = Date.UTC(2026, 0, 1);
const yes = () => Promise.resolve();
const no = () => Promise.reject(new Error('the log is full'));
const user = (tenant: string, username: string, more: Partial<UserRecord> = {}): UserRecord => ({
  tenant,
  userId: `usr_${tenant}_${username}`,
  username,
  passwordHash: '$argon2id$',
  roles: ['agent-user'],
  demo: false,
  disabled: false,
  createdAt: T0,
  version: 1,
  ...more,
});

/** What every store of users does. Each test keeps to tenants of its own, so one store serves all. */
export function usersContract(open: () => Promise<Users>): void {
  let users: Users;
  beforeAll(async () => {
    users = await open();
  }, 60_000);

  test('a user comes back as they were added, by id and by name', async () => {
    const sam = user('u1', 'sam', { roles: ['admin', 'responder'], disabled: true });
    expect(await users.add('u1', sam, yes)).toBe(true);
    expect(await users.byId('u1', sam.userId)).toEqual(sam);
    expect(await users.byName('u1', 'sam')).toEqual(sam);
  });

  test('a name is taken once per tenant, an id once at all', async () => {
    expect(await users.add('u2', user('u2', 'sam'), yes)).toBe(true);
    expect(await users.add('u2', user('u2', 'sam', { userId: 'usr_another' }), yes)).toBe(false);
    expect(await users.add('u3', user('u3', 'sam'), yes)).toBe(true);
    expect(await users.add('u3', user('u3', 'pam', { userId: 'usr_u2_sam' }), yes)).toBe(false);
  });

  test('a user of one tenant is to another what an unknown one is', async () => {
    await users.add('u4', user('u4', 'sam'), yes);
    for (const id of ['usr_u4_sam', 'usr_unknown']) {
      expect(await users.byId('u5', id)).toBeUndefined();
      expect(await users.remove('u5', id, yes)).toBe(false);
    }
    for (const name of ['sam', 'unknown']) expect(await users.byName('u5', name)).toBeUndefined();
    expect((await users.list('u5', { limit: 10, after: undefined })).items).toEqual([]);
    expect(await users.byId('u4', 'usr_u4_sam')).toBeDefined();
  });

  test('what is not confirmed does not happen', async () => {
    await users.add('u6', user('u6', 'sam'), yes);
    await expect(users.add('u6', user('u6', 'pam'), no)).rejects.toThrow('the log is full');
    await expect(users.remove('u6', 'usr_u6_sam', no)).rejects.toThrow('the log is full');
    expect((await users.list('u6', { limit: 10, after: undefined })).items).toEqual([user('u6', 'sam')]);
  });

  test('who confirms a change sees whom it changes, as they were', async () => {
    await users.add('u11', user('u11', 'sam'), yes);
    const seen: string[] = [];
    const confirm = async ({ roles }: UserRecord): Promise<void> => void seen.push(...roles);
    await users.change('u11', 'usr_u11_sam', { roles: ['admin'] }, confirm);
    await users.remove('u11', 'usr_u11_sam', confirm);
    expect(seen).toEqual(['agent-user', 'admin']);
  });

  test('a list goes through all users of a tenant once, in order, page by page', async () => {
    for (const name of ['c', 'a', 'b']) await users.add('u7', user('u7', name), yes);
    const first = await users.list('u7', { limit: 2, after: undefined });
    const second = await users.list('u7', { limit: 2, after: first.next });
    expect([first, second].map(({ items }) => items.map(({ username }) => username))).toEqual([['a', 'b'], ['c']]);
    expect(second.next).toBeUndefined();
  });

  test('put adds, then overwrites password and roles, and the person keeps their id', async () => {
    await users.put('u8', user('u8', 'sam'));
    await users.put(
      'u8',
      user('u8', 'sam', { userId: 'usr_new', passwordHash: '$new', roles: ['analyst'], createdAt: T0 + 1 }),
    );
    expect(await users.byName('u8', 'sam')).toEqual(
      user('u8', 'sam', { passwordHash: '$new', roles: ['analyst'], version: 2 }),
    );
  });

  test('only what a change names changes, and only where it is expected', async () => {
    await users.add('u9', user('u9', 'sam'), yes);
    const change = (what: UserChange, expected?: number[]) => users.change('u9', 'usr_u9_sam', what, yes, expected);
    expect(await change({ disabled: true })).toEqual(user('u9', 'sam', { disabled: true, version: 2 }));
    expect(await change({ roles: ['analyst'], passwordHash: '$new' }, [2])).toEqual(
      user('u9', 'sam', { disabled: true, roles: ['analyst'], passwordHash: '$new', version: 3 }),
    );
    await expect(change({ disabled: false }, [2])).rejects.toThrow(VersionDiffers);
    await expect(users.remove('u9', 'usr_u9_sam', yes, [])).rejects.toThrow(VersionDiffers);
    await expect(users.change('u9', 'usr_u9_sam', { disabled: false }, no)).rejects.toThrow('the log is full');
    expect(await users.byId('u9', 'usr_u9_sam')).toMatchObject({ disabled: true, version: 3 });
    for (const [tenant, id] of [
      ['u10', 'usr_u9_sam'],
      ['u9', 'usr_unknown'],
    ] as const) {
      expect(await users.change(tenant, id, { disabled: false }, yes, [3])).toBeUndefined();
    }
    expect(await users.remove('u9', 'usr_u9_sam', yes, [3])).toBe(true);
  });
}
