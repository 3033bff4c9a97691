import { memoryBus } from '@portcullis/bus/bus.memory';
import type { SignedTopic } from '@portcullis/contract/containment';
import { silentLog } from '@portcullis/contract/log';
import { revocationFeed } from '@portcullis/guard/revocation-feed';
import { callerOf, accessTokenClaims } from '@portcullis/scopes/caller';
import type { Database } from '@portcullis/sql/database';
import { migrate } from '@portcullis/sql/migrate.sql';
import { testPostgres } from '@portcullis/sql/postgres.fixture';
import { openPostgres } from '@portcullis/sql/postgres.sql';
import { decodeJwt } from 'jose';
import { askAdmin } from './admin.fixture.js';
import {
  adminToken,
  postToken,
  privateJwk,
  secretOf,
  startGate,
  world,
  type Gate,
  type World,
} from './gate.fixture.js';
import { sqlRevocations } from './revocations.sql.js';
import { show } from './shown-token.fixture.js';

const open = (url: string): Promise<Database> => openPostgres(url, { onBroken: () => undefined });

test('what a transaction wrote that ends late is told to whoever asked in between', async () => {
  const url = await testPostgres().freshUrl();
  const [left, right] = await Promise.all([open(url), open(url)]);
  await migrate(left, 'auth', new URL('../migrations/', import.meta.url));
  const now = Date.now();
  const revocation = (id: string) => ({
    what: 'token' as const,
    id,
    at: now,
    until: now + 60_000,
    reason: 'r',
    by: 'b',
  });
  let commit: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (commit = resolve));
  let written: () => void = () => undefined;
  const under = new Promise<void>((resolve) => (written = resolve));
  const late = sqlRevocations(left).revoke('t', revocation('late'), () => (written(), held));
  await under;
  const theirs = sqlRevocations(right);
  await theirs.revoke('t', revocation('early'), () => Promise.resolve());
  const first = await theirs.since(undefined, now);
  expect(first.rows.map(({ id }) => id)).toEqual(['early']);
  commit();
  await late;
  expect((await theirs.since(first.horizon, now)).rows.map(({ id }) => id)).toContain('late');
  await Promise.all([left.close(), right.close()]);
});

describe('two replicas on one database, each with a bus of its own', () => {
  let databases: readonly Database[];
  let gates: readonly [Gate, Gate];
  let of: World;
  beforeAll(async () => {
    const url = await testPostgres().freshUrl();
    databases = await Promise.all([open(url), open(url)]);
    of = { ...(await world(databases[0])), adminKey: await privateJwk() };
    const left = await startGate(of, { bus: memoryBus() });
    const beside = { ...of, database: databases[1]!, port: 0 };
    const right = await startGate(beside, { bus: memoryBus() }, { AUTH_ISSUER: left.issuer });
    gates = [left, right];
  });
  afterAll(async () => {
    await Promise.all(gates.map((gate) => gate.close()));
    await Promise.all(databases.map((database) => database.close()));
  });

  const ports = {
    keysOf: (topic: SignedTopic) => of.containment.keysOf(topic),
    now: Date.now,
    uptime: () => performance.now(),
    log: silentLog,
  };
  const support = () => secretOf(of.demo, 'support-agent');
  const machineToken = async (gate: Gate): Promise<string> =>
    String((await postToken(gate, { grant_type: 'client_credentials' }, support())).body.access_token);
  const isActive = async (gate: Gate, token: string) =>
    (await show(gate, '/introspect', { token }, support())).body.active === true;
  /** fails when it is not so within the second that is promised */
  async function withinASecond(isSo: () => Promise<boolean> | boolean): Promise<void> {
    const deadline = Date.now() + 1000;
    while (!(await isSo())) {
      if (Date.now() > deadline) throw new Error('not so within a second');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  test('what is revoked at one is inactive at the other within a second, whose own services hear of it, too', async () => {
    const [left, right] = gates;
    const token = await machineToken(left);
    const caller = callerOf(accessTokenClaims.parse(decodeJwt(token)));
    const feed = await revocationFeed(right.bus, 'a-service-there', ports);
    expect([await isActive(right, token), feed.isRevoked(caller)]).toEqual([true, false]);
    expect(await show(left, '/revoke', { token }, support())).toMatchObject({ status: 200 });
    expect(await isActive(left, token)).toBe(false);
    await withinASecond(async () => !(await isActive(right, token)));
    await withinASecond(() => feed.isRevoked(caller));
    await feed.stop();
  });

  test('a client that is disabled at one loses its tokens at the other', async () => {
    const [left, right] = gates;
    const token = await machineToken(right);
    const caller = callerOf(accessTokenClaims.parse(decodeJwt(token)));
    const feed = await revocationFeed(right.bus, 'another-service', ports);
    const admin = await adminToken(left, left.uris.authAdmin, 'admin:clients');
    const disabled = await askAdmin(left, admin, 'PATCH', '/clients/support-agent', { disabled: true });
    expect(disabled.status).toBe(200);
    await withinASecond(() => feed.isRevoked(caller));
    await feed.stop();
  });

  test('a replica that starts later knows what was revoked before it serves', async () => {
    const [left] = gates;
    const reporting = secretOf(of.demo, 'reporting-agent');
    const reply = await postToken(left, { grant_type: 'client_credentials' }, reporting);
    const token = String(reply.body.access_token);
    await show(left, '/revoke', { token }, reporting);
    const database = databases[1]!;
    const third = await startGate({ ...of, database, port: 0 }, { bus: memoryBus() }, { AUTH_ISSUER: left.issuer });
    expect((await show(third, '/introspect', { token }, reporting)).body).toEqual({ active: false });
    await third.close();
  });
});
