import type { ClientRecord, Clients } from './clients.js';

const T0 = Date.UTC(2026, 0, 1);
const yes = () => Promise.resolve();
const no = () => Promise.reject(new Error('the log is full'));
const client = (tenant: string, clientId: string, more: Partial<ClientRecord> = {}): ClientRecord => ({
  tenant,
  clientId,
  name: 'A client',
  authMethod: 'client_secret_basic',
  applicationType: 'web',
  secretHash: 'hash',
  previousSecret: undefined,
  jwks: undefined,
  jwksUri: undefined,
  redirectUris: [],
  grantTypes: ['client_credentials'],
  scopes: ['customer:read'],
  dpopBound: true,
  requirePar: false,
  demo: false,
  disabled: false,
  createdAt: T0,
  version: 1,
  ...more,
});
const page = { limit: 10, after: undefined };

/** What every store of clients does. Each test keeps to tenants of its own, so one store serves all. */
export function clientsContract(open: () => Promise<Clients>): void {
  let clients: Clients;
  beforeAll(async () => {
    clients = await open();
  }, 60_000);

  test('a client comes back as it was added, by its id alone and by tenant and id', async () => {
    const added = client('c1', 'c1-a', {
      authMethod: 'private_key_jwt',
      applicationType: 'native',
      secretHash: undefined,
      previousSecret: { hash: 'older', until: T0 + 1 },
      jwks: { keys: [{ kty: 'EC', crv: 'P-256', x: 'x', y: 'y', kid: 'k' }] },
      jwksUri: 'https://app.example/jwks.json',
      dpopBound: false,
      requirePar: true,
      version: 7,
      redirectUris: ['https://app.example/cb?a="b"'],
      grantTypes: ['authorization_code', 'client_credentials'],
      scopes: ['ticket:read', 'customer:read'],
      disabled: true,
    });
    expect(await clients.add('c1', added, yes)).toBe(true);
    expect(await clients.find('c1-a')).toEqual(added);
    expect(await clients.byId('c1', 'c1-a')).toEqual(added);
  });

  test('an id is taken once, in whatever tenant', async () => {
    expect(await clients.add('c2', client('c2', 'c2-a'), yes)).toBe(true);
    expect(await clients.add('c2', client('c2', 'c2-a', { name: 'Other' }), yes)).toBe(false);
    expect(await clients.add('c3', client('c3', 'c2-a'), yes)).toBe(false);
    expect(await clients.find('c2-a')).toMatchObject({ tenant: 'c2', name: 'A client' });
  });

  test('a client of one tenant is to another what an unknown one is', async () => {
    await clients.add('c4', client('c4', 'c4-a'), yes);
    for (const id of ['c4-a', 'unknown']) {
      expect(await clients.byId('c5', id)).toBeUndefined();
      expect(await clients.change('c5', id, { disabled: true }, yes)).toBeUndefined();
      expect(await clients.remove('c5', id, yes)).toBe(false);
    }
    expect((await clients.list('c5', page)).items).toEqual([]);
    expect(await clients.find('c4-a')).toMatchObject({ disabled: false });
  });

  test('only what a change names changes', async () => {
    const before = client('c6', 'c6-a');
    await clients.add('c6', before, yes);
    const change = { name: 'New name', scopes: ['ticket:read'] as const };
    expect(await clients.change('c6', 'c6-a', change, yes)).toEqual({ ...before, ...change });
    expect(await clients.change('c6', 'c6-a', { disabled: true }, yes)).toMatchObject({ disabled: true });
    expect(await clients.find('c6-a')).toEqual({ ...before, ...change, disabled: true });
  });

  test('what is not confirmed does not happen', async () => {
    await clients.add('c7', client('c7', 'c7-a'), yes);
    await expect(clients.add('c7', client('c7', 'c7-b'), no)).rejects.toThrow('the log is full');
    await expect(clients.change('c7', 'c7-a', { disabled: true }, no)).rejects.toThrow('the log is full');
    await expect(clients.remove('c7', 'c7-a', no)).rejects.toThrow('the log is full');
    expect((await clients.list('c7', page)).items).toEqual([client('c7', 'c7-a')]);
  });

  test('nothing is confirmed where nothing is to happen', async () => {
    const confirm = () => Promise.reject(new Error('asked for nothing'));
    expect(await clients.change('c8', 'unknown', { disabled: true }, confirm)).toBeUndefined();
    expect(await clients.remove('c8', 'unknown', confirm)).toBe(false);
  });

  test('a list goes through all clients of a tenant once, in order, page by page', async () => {
    for (const id of ['c9-c', 'c9-a', 'c9-b']) await clients.add('c9', client('c9', id), yes);
    const first = await clients.list('c9', { limit: 2, after: undefined });
    const second = await clients.list('c9', { limit: 2, after: first.next });
    expect([first, second].map(({ items }) => items.map(({ clientId }) => clientId))).toEqual([
      ['c9-a', 'c9-b'],
      ['c9-c'],
    ]);
    expect([first.next, second.next]).toEqual(['c9-b', undefined]);
  });

  test('put adds, then overwrites, and keeps when it was made', async () => {
    await clients.put('c10', client('c10', 'c10-a', { demo: true }));
    await clients.put('c10', client('c10', 'c10-a', { secretHash: 'new', demo: true, createdAt: T0 + 5 }));
    expect((await clients.list('c10', page)).items).toEqual([
      client('c10', 'c10-a', { secretHash: 'new', demo: true }),
    ]);
    expect(await clients.anyDemo()).toBe(true);
  });

  test('a removed client is gone', async () => {
    await clients.add('c11', client('c11', 'c11-a'), yes);
    expect(await clients.remove('c11', 'c11-a', yes)).toBe(true);
    expect(await clients.find('c11-a')).toBeUndefined();
    expect(await clients.remove('c11', 'c11-a', yes)).toBe(false);
  });
}
