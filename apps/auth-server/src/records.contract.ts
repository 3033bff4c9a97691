import { principalId } from '@portcullis/contract/ids';
import type { Revocable } from '@portcullis/contract/revocation';
import type { Database } from '@portcullis/sql/database';
import { migrate } from '@portcullis/sql/migrate.sql';
import { sql } from 'kysely';
import { artefactsContract } from './artefacts.contract.js';
import { shelve } from './artefacts.js';
import { sqlArtefacts } from './artefacts.sql.js';
import { clientsContract } from './clients.contract.js';
import { sqlClients } from './clients.sql.js';
import { grantsContract } from './grants.contract.js';
import { sqlGrants } from './grants.sql.js';
import { revocationsContract } from './revocations.contract.js';
import { sqlRevocations } from './revocations.sql.js';
import { refreshTokensContract } from './refresh-tokens.contract.js';
import { refreshTokensIn } from './refresh-tokens.fixture.js';
import { signingKeysContract } from './signing-keys.contract.js';
import { sqlSigningKeys } from './signing-keys.sql.js';
import { usersContract } from './users.contract.js';
import { sqlUsers } from './users.sql.js';

/** What the authorization server keeps, in a database of either kind. @param open an empty one */
export function recordsContract(open: () => Promise<Database>): void {
  let database: Database;
  beforeAll(async () => {
    database = await open();
    await migrate(database, 'auth', new URL('../migrations/', import.meta.url));
  }, 60_000);
  afterAll(() => database.close());

  describe('clients in SQL', () => clientsContract(() => Promise.resolve(sqlClients(database))));
  describe('users in SQL', () => usersContract(() => Promise.resolve(sqlUsers(database))));
  describe('artefacts in SQL', () => artefactsContract(() => Promise.resolve(sqlArtefacts(database))));
  describe('refresh tokens in SQL', () => refreshTokensContract(() => Promise.resolve(refreshTokensIn(database))));
  describe('signing keys in SQL', () =>
    signingKeysContract(async () => {
      await sql`delete from auth.signing_keys`.execute(db());
      return sqlSigningKeys(database);
    }));
  describe('grants in SQL', () =>
    grantsContract(async () => ({
      grants: sqlGrants(database),
      async keep({ tenant, grantId, clientId, sub, payload, expiresAt }) {
        await sqlClients(database).add(tenant, { ...client, tenant, clientId }, yes);
        await sqlArtefacts(database).put(shelve('Grant', grantId, { ...payload, clientId, accountId: sub }, expiresAt));
      },
    })));
  describe('revocations in SQL', () => revocationsContract(() => Promise.resolve(sqlRevocations(database))));

  const yes = () => Promise.resolve();

  test("with a client go its codes, with a person their sessions, and nobody else's", async () => {
    const [clients, users, artefacts] = [sqlClients(database), sqlUsers(database), sqlArtefacts(database)];
    const now = Date.now();
    await clients.add('r1', { ...client, tenant: 'r1', clientId: 'r1-a' }, yes);
    await users.add('r1', { ...user, tenant: 'r1', userId: 'usr_r1' }, yes);
    const kept = [
      shelve('AuthorizationCode', 'code-a', { clientId: 'r1-a', accountId: 'usr_x' }, now + 1000),
      shelve('Session', 'session-a', { accountId: 'usr_r1', uid: 'u' }, now + 1000),
      shelve('Session', 'session-b', { accountId: 'usr_other', uid: 'v' }, now + 1000),
    ];
    for (const one of kept) await artefacts.put(one);
    await clients.remove('r1', 'r1-a', yes);
    await users.remove('r1', 'usr_r1', yes);
    const found = await Promise.all(kept.map(({ kind, idHash }) => artefacts.find(kind, idHash, now)));
    expect(found.map((one) => one !== undefined)).toEqual([false, false, true]);
  });

  describe('what is revoked takes along, of its own tenant only,', () => {
    const now = Date.now();
    const [grant, code, session, used] = ['Grant', 'RefreshToken', 'Session', 'ReplayDetection'] as const;
    const owned = (kind: string, id: string, more: object) =>
      shelve(
        kind,
        id,
        { clientId: 'e1-a', accountId: 'usr_e1', ...(kind !== grant && { grantId: 'g-e1' }), ...more },
        now + 1e6,
      );
    const things = [
      owned(grant, 'g-e1', {}),
      owned(code, 'refresh-e1', {}),
      owned(code, 'refresh-e2', { grantId: 'g-e2' }),
      owned(code, 'refresh-e3', { grantId: 'g-e3', accountId: 'usr_e2' }),
      owned(code, 'refresh-e4', { grantId: 'g-e4', clientId: 'e1-b' }),
      owned(session, 'session-e1', { clientId: undefined, grantId: undefined, uid: 'uid-e1' }),
      owned(used, 'assertion-e1', { accountId: undefined, grantId: undefined }),
    ];
    beforeAll(async () => {
      for (const clientId of ['e1-a', 'e1-b'])
        await sqlClients(database).add('e1', { ...client, tenant: 'e1', clientId }, yes);
      await sqlUsers(database).add('e1', { ...user, tenant: 'e1', userId: 'usr_e1' }, yes);
    });
    test.each<[Revocable, string, readonly boolean[]]>([
      ['token', 'g-e1', [true, true, true, true, true, true, true]],
      ['grant', 'g-e1', [false, false, true, true, true, true, true]],
      ['principal', principalId('e1', 'e1-a', 'usr_e1'), [false, false, false, true, true, true, true]],
      ['client', 'e1-a', [false, false, false, false, true, true, true]],
      ['user', 'usr_e1', [false, false, false, true, false, false, true]],
    ])('%s', async (what, id, left) => {
      const [artefacts, revocations] = [sqlArtefacts(database), sqlRevocations(database)];
      for (const one of things) await artefacts.put(one);
      const found = async () =>
        (await Promise.all(things.map((one) => artefacts.find(one.kind, one.idHash, now)))).map(Boolean);
      const revocation = { what, id, at: now, until: now + 1000, reason: what, by: 'b' };
      await revocations.revoke('another', revocation, yes);
      await expect(revocations.revoke('e1', revocation, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
      expect(await found()).toEqual(things.map(() => true));
      await revocations.revoke('e1', revocation, yes);
      expect(await found()).toEqual(left);
      const grants = ['g-e1', 'g-e2', 'g-e3', 'g-e4'];
      const revoked = await Promise.all(grants.map((grant) => sqlRevocations(database).find('e1', 'grant', grant)));
      // what went is revoked by itself, too; g-e1 stays so from the rows before
      const gone = [2, 3, 4].map((index) => left[index] === false);
      expect(revoked.slice(1).map((one) => one !== undefined && one.reason === what)).toEqual(gone);
    });
  });

  test('with another password, or when they are disabled, a person loses their sessions; not with another role', async () => {
    const [users, artefacts] = [sqlUsers(database), sqlArtefacts(database)];
    const now = Date.now();
    const session = shelve('Session', 'session-r3', { accountId: 'usr_r3', uid: 'w' }, now + 1000);
    await users.add('r3', { ...user, tenant: 'r3', userId: 'usr_r3' }, yes);
    for (const [change, stays] of [
      [{ roles: ['admin'] }, true],
      [{ disabled: false }, true],
      [{ disabled: true }, false],
      [{ passwordHash: '$new' }, false],
    ] as const) {
      await artefacts.put(session);
      await users.change('r3', 'usr_r3', change, yes);
      expect((await artefacts.find('Session', session.idHash, now)) !== undefined).toBe(stays);
    }
  });

  describe('in the transaction in which it happens, everything is revoked that was given to', () => {
    const at = Date.UTC(2026, 5, 1);
    const [clients, users] = [() => sqlClients(database, () => at), () => sqlUsers(database, () => at)];
    const no = () => Promise.reject(new Error('the log is full'));
    beforeAll(async () => {
      for (const clientId of ['d1-a', 'd1-b', 'd1-c', 'd1-d'])
        await clients().add('d1', { ...client, tenant: 'd1', clientId }, yes);
      for (const name of ['a', 'b', 'c', 'd', 'e'])
        await users().add('d1', { ...user, tenant: 'd1', userId: `usr_d1_${name}`, username: name }, yes);
    });
    test.each<[string, Revocable, string, (confirm: () => Promise<void>) => Promise<unknown>]>([
      ['a client that is removed', 'client', 'd1-a', (confirm) => clients().remove('d1', 'd1-a', confirm)],
      [
        'a client that is disabled',
        'client',
        'd1-b',
        (confirm) => clients().change('d1', 'd1-b', { disabled: true }, confirm),
      ],
      ['a person who is removed', 'user', 'usr_d1_a', (confirm) => users().remove('d1', 'usr_d1_a', confirm)],
      [
        'a person who is disabled',
        'user',
        'usr_d1_b',
        (confirm) => users().change('d1', 'usr_d1_b', { disabled: true }, confirm),
      ],
      [
        'a person with another password',
        'user',
        'usr_d1_c',
        (confirm) => users().change('d1', 'usr_d1_c', { passwordHash: '$2' }, confirm),
      ],
    ])('%s', async (_says, what, id, act) => {
      const find = () => sqlRevocations(database).find('d1', what, id);
      await expect(act(no)).rejects.toThrow('the log is full');
      expect(await find()).toBeUndefined();
      await act(yes);
      const found = await find();
      // what is issued within two seconds ends too; the last such token has expired an hour later
      expect(found).toMatchObject({ tenant: 'd1', at: at + 2000 });
      expect(found?.until).toBeGreaterThan(at + 3_602_000);
    });

    test('a client or a person from whom scopes are taken, though their grants stay', async () => {
      const [revocations, artefacts] = [sqlRevocations(database), sqlArtefacts(database)];
      const grant = shelve('Grant', 'grant-d1', { clientId: 'd1-d', accountId: 'usr_d1_e' }, at + 1000);
      await artefacts.put(grant);
      await clients().change('d1', 'd1-d', { scopes: ['ticket:read'] }, yes);
      await users().change('d1', 'usr_d1_e', { roles: ['agent-user'] }, yes);
      expect(await revocations.find('d1', 'client', 'd1-d')).toMatchObject({ at: at + 2000, reason: 'narrowed' });
      expect(await revocations.find('d1', 'user', 'usr_d1_e')).toMatchObject({ at: at + 2000, reason: 'narrowed' });
      expect(await artefacts.find('Grant', grant.idHash, at)).toBeDefined();
    });

    test('nobody, when something else changes', async () => {
      await clients().change('d1', 'd1-c', { name: 'B', disabled: false }, yes);
      await users().change('d1', 'usr_d1_d', { roles: ['analyst'] }, yes);
      expect(await sqlRevocations(database).find('d1', 'client', 'd1-c')).toBeUndefined();
      expect(await sqlRevocations(database).find('d1', 'user', 'usr_d1_d')).toBeUndefined();
    });
  });

  test('two replicas that sweep at once take everything that has expired, each row once, however much there is', async () => {
    const now = Date.now();
    const filled = sql`
      insert into auth.artefacts (kind, id_hash, payload, expires_at)
      select 'Swept', i::text, '{}', to_timestamp(${now / 1000}::float8) + make_interval(secs => i - 2400)
      from generate_series(1, 2500) i`;
    await filled.execute(db());
    const swept = await Promise.all([1, 2].map(() => sqlArtefacts(database).sweep(now)));
    const { rows } = await sql`select count(*) from auth.artefacts where kind = 'Swept'`.execute(db());
    expect(rows).toEqual([{ count: 100 }]);
    expect(swept.reduce((a, b) => a + b)).toBeGreaterThanOrEqual(2400);
  });

  test('a scope or role that no version knows any more gives nothing', async () => {
    await sqlClients(database).add('r2', { ...client, tenant: 'r2', clientId: 'r2-a' }, yes);
    await sqlUsers(database).add('r2', { ...user, tenant: 'r2', userId: 'usr_r2' }, yes);
    await sql`update auth.clients set scopes = '["customer:read","old:scope"]' where tenant = 'r2'`.execute(db());
    await sql`update auth.users set roles = '["king","analyst"]' where tenant = 'r2'`.execute(db());
    expect((await sqlClients(database).find('r2-a'))?.scopes).toEqual(['customer:read']);
    expect((await sqlUsers(database).byId('r2', 'usr_r2'))?.roles).toEqual(['analyst']);
  });

  test('every table begins its primary key with the tenant, but the two that say why not', async () => {
    const { rows } = await sql<{ table_name: string; first: string }>`
    select c.relname as table_name, a.attname as first
    from pg_index i join pg_class c on c.oid = i.indrelid
      join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]
    where i.indisprimary and c.relnamespace = 'auth'::regnamespace`.execute(db());
    const others = rows.filter(({ first }) => first !== 'tenant').map(({ table_name }) => table_name);
    expect(others.sort()).toEqual(['artefacts', 'migrations', 'signing_keys']);
  });

  const db = () => database.everyTenant<object>('auth');
}

const client = {
  name: 'A client',
  authMethod: 'client_secret_basic',
  applicationType: 'web',
  secretHash: 'hash',
  previousSecret: undefined,
  jwks: undefined,
  jwksUri: undefined,
  dpopBound: false,
  requirePar: false,
  version: 1,
  redirectUris: [],
  grantTypes: ['client_credentials'],
  scopes: ['customer:read'],
  demo: false,
  disabled: false,
  createdAt: 0,
} as const;
const user = {
  version: 1,
  username: 'sam',
  passwordHash: '$',
  roles: ['analyst'],
  demo: false,
  disabled: false,
  createdAt: 0,
} as const;
