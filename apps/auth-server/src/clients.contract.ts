import type { ClientRecord, Clients } from './clients.js';
import { VersionDiffers } from './versions.js';

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
      customersPerTask: 100,
      customersPerHour: 10_000,
      allTenants: true,
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
    expect(await clients.change('c6', 'c6-a', change, yes)).toEqual({ ...before, ...change, version: 2 });
    const more = { disabled: true, dpopBound: false, requirePar: true } as const;
    expect(await clients.change('c6', 'c6-a', more, yes)).toMatchObject({ ...more, version: 3 });
    expect(await clients.find('c6-a')).toEqual({ ...before, ...change, ...more, version: 3 });
  });

  test('keys of its own come in place of where they were read', async () => {
    const jwksUri = 'https://app.example/jwks.json';
    await clients.add('c12', client('c12', 'c12-a', { authMethod: 'private_key_jwt', jwksUri }), yes);
    const jwks = { keys: [{ kty: 'OKP', crv: 'Ed25519', x: 'x' }] } as const;
    expect(await clients.change('c12', 'c12-a', { jwks }, yes)).toMatchObject({ jwks, jwksUri: undefined });
  });

  test('a change that expects another version than there is changes nothing', async () => {
    await clients.add('c13', client('c13', 'c13-a'), yes);
    for (const expected of [[2], []]) {
      const refused = (doing: Promise<unknown>) => expect(doing).rejects.toThrow(VersionDiffers);
      await refused(clients.change('c13', 'c13-a', { disabled: true }, yes, expected));
      await refused(clients.rotateSecret('c13', 'c13-a', { hash: 'b', previousUntil: undefined }, yes, expected));
      await refused(clients.remove('c13', 'c13-a', yes, expected));
    }
    expect(await clients.find('c13-a')).toEqual(client('c13', 'c13-a'));
    expect(await clients.change('c13', 'c13-a', { name: 'New' }, yes, [5, 1])).toMatchObject({ version: 2 });
    expect(await clients.change('c13', 'unknown', { name: 'New' }, yes, [1])).toBeUndefined();
    expect(await clients.remove('c13', 'c13-a', yes, [2])).toBe(true);
  });

  test('of two changes at once that expect the same version one happens', async () => {
    await clients.add('c14', client('c14', 'c14-a'), yes);
    const both = ['One', 'Two'].map((name) => clients.change('c14', 'c14-a', { name }, yes, [1]));
    const done = (await Promise.allSettled(both)).filter(({ status }) => status === 'fulfilled');
    expect([done.length, (await clients.find('c14-a'))?.version]).toEqual([1, 2]);
  });

  test('a rotated secret is followed by the new one and stays good until its time is up', async () => {
    await clients.add('c15', client('c15', 'c15-a', { secretHash: 'a' }), yes);
    const rotate = (hash: string, previousUntil: number | undefined) =>
      clients.rotateSecret('c15', 'c15-a', { hash, previousUntil }, yes);
    expect(await rotate('b', T0 + 5)).toMatchObject({
      secretHash: 'b',
      previousSecret: { hash: 'a', until: T0 + 5 },
      version: 2,
    });
    expect(await rotate('c', T0 + 9)).toMatchObject({ secretHash: 'c', previousSecret: { hash: 'b', until: T0 + 9 } });
    expect(await rotate('d', undefined)).toMatchObject({ secretHash: 'd', previousSecret: undefined, version: 4 });
    const to = { hash: 'e', previousUntil: undefined };
    await expect(clients.rotateSecret('c15', 'c15-a', to, no)).rejects.toThrow('the log is full');
    expect(await clients.find('c15-a')).toMatchObject({ secretHash: 'd' });
    expect(await clients.rotateSecret('c16', 'c15-a', to, yes)).toBeUndefined();
  });

  test('a client that has no secret gets none', async () => {
    await clients.add('c17', client('c17', 'c17-a', { authMethod: 'none', secretHash: undefined }), yes);
    const to = { hash: 'b', previousUntil: undefined };
    for (const expected of [undefined, [1]]) {
      expect(await clients.rotateSecret('c17', 'c17-a', to, yes, expected)).toBeUndefined();
    }
    expect(await clients.find('c17-a')).toMatchObject({ secretHash: undefined, version: 1 });
  });

  test('previous secrets are forgotten when their time is up', async () => {
    const long = Date.UTC(2020, 0, 1);
    for (const [id, until] of [
      ['c18-a', long],
      ['c18-b', long + 2],
    ] as const) {
      await clients.add('c18', client('c18', id, { previousSecret: { hash: 'old', until } }), yes);
    }
    expect(await clients.sweepSecrets(long + 1)).toBe(1);
    expect(await clients.find('c18-a')).toMatchObject({ previousSecret: undefined, version: 2 });
    expect(await clients.find('c18-b')).toMatchObject({ previousSecret: { hash: 'old', until: long + 2 }, version: 1 });
  });

  test('the hash of a secret is made anew only where it is still the one that was seen', async () => {
    await clients.add('c19', client('c19', 'c19-a', { secretHash: 'a' }), yes);
    await clients.renewSecretHash('c19', 'c19-a', 'z', 'b');
    await clients.renewSecretHash('c20', 'c19-a', 'a', 'b');
    expect(await clients.find('c19-a')).toMatchObject({ secretHash: 'a' });
    await clients.renewSecretHash('c19', 'c19-a', 'a', 'b');
    expect(await clients.find('c19-a')).toMatchObject({ secretHash: 'b', version: 1 });
  });

  test('what is not confirmed does not happen', async () => {
    await clients.add('c7', client('c7', 'c7-a'), yes);
    await expect(clients.add('c7', client('c7', 'c7-b'), no)).rejects.toThrow('the log is full');
    await expect(clients.change('c7', 'c7-a', { disabled: true }, no)).rejects.toThrow('the log is full');
    await expect(clients.remove('c7', 'c7-a', no)).rejects.toThrow('the log is full');
    expect((await clients.list('c7', page)).items).toEqual([client('c7', 'c7-a')]);
  });

  test('who confirms a change sees what is changed, as the last one left it', async () => {
    await clients.add('c21', client('c21', 'c21-a'), yes);
    const seen: string[] = [];
    const confirm = async ({ scopes }: ClientRecord): Promise<void> => void seen.push(scopes.join(' '));
    const raise = clients.change('c21', 'c21-a', { scopes: ['platform:admin'] }, confirm);
    const rotate = clients.rotateSecret('c21', 'c21-a', { hash: 'b', previousUntil: undefined }, confirm);
    await Promise.all([raise, rotate]);
    await clients.remove('c21', 'c21-a', confirm);
    // whichever of the two came first
    expect(['customer:read platform:admin', 'customer:read customer:read']).toContain(
      seen.slice(0, 2).sort().join(' '),
    );
    expect(seen[2]).toBe('platform:admin');
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
      client('c10', 'c10-a', { secretHash: 'new', demo: true, version: 2 }),
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
