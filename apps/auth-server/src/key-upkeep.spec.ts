import type { Database } from '@portcullis/sql/database';
import { openTestDatabase } from '@portcullis/sql/database.fixture';
import { migrate } from '@portcullis/sql/migrate.sql';
import { compactVerify, type JWK } from 'jose';
import { sql } from 'kysely';
import { recordedEvents } from './gate.fixture.js';
import { KeyRing } from './key-ring.js';
import { KEPT_MS, NOTICE_MS, PUBLISH_AHEAD_MS } from './key-rotation.js';
import { keyUpkeep, type KeyUpkeepPorts } from './key-upkeep.js';
import { sealedSigners } from './sealed-signers.memory.js';
import { KeyCannotBeOpened } from './signer.js';
import { sqlSigningKeys } from './signing-keys.sql.js';
import { vault } from './vault-signers.fixture.js';

const [kek, newer] = [1, 2].map((n) => new Uint8Array(32).fill(n)) as [Uint8Array, Uint8Array];
const DAY = 24 * 60 * 60_000;

let database: Database;
let time: number;
beforeAll(async () => {
  database = await openTestDatabase();
  await migrate(database, 'auth', new URL('../migrations/', import.meta.url));
}, 60_000);
afterAll(() => database.close());
beforeEach(async () => {
  time = Date.UTC(2026, 10, 21);
  await sql`delete from auth.signing_keys`.execute(database.everyTenant('auth'));
});

/** One replica; all of a test share the database and the clock. */
function replica(more: Partial<KeyUpkeepPorts> = {}) {
  const ring = new KeyRing();
  const events = recordedEvents();
  const errors: string[] = [];
  const say = (message: string) => void errors.push(message);
  const keeping = keyUpkeep({
    keys: sqlSigningKeys(database),
    signers: sealedSigners([kek]),
    ring,
    events: events.log,
    log: { debug: say, info: say, warn: say, error: say },
    inUse: ['ES256'],
    everyDays: 30,
    now: () => time,
    ...more,
  });
  const does = () => events.seen.map(({ data }) => (data as { action: string }).action);
  const kids = () => ring.jwks.keys.map((key: JWK) => key.kid);
  return { ring, keeping, events, errors, does, kids };
}
const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
/** A JWS as oidc-provider makes one: header with the present kid first, then the signature. */
async function sign({ ring }: { ring: KeyRing }, kid = ring.current('ES256')?.kid): Promise<string> {
  const input = `${encoded({ alg: 'ES256', kid })}.${encoded({ at: time })}`;
  return `${input}.${Buffer.from(await ring.sign(new TextEncoder().encode(input))).toString('base64url')}`;
}
const verified = (jws: string, { ring }: { ring: KeyRing }) =>
  compactVerify(jws, ring.verifying).then(
    () => true,
    () => false,
  );
const ASKED = { early: false, actor: 'local-admin/1' };

test('two replicas that start at once have the same keys', async () => {
  const [a, b] = [replica(), replica()];
  await Promise.all([a.keeping.open(), b.keeping.open()]);
  expect(a.kids()).toHaveLength(2);
  expect(b.kids()).toEqual(a.kids());
  expect([...a.does(), ...b.does()]).toEqual(['keys.made', 'keys.made']);
});

test('after a rotation every replica signs with the new key, and every signature of before and after stays good', async () => {
  const [a, b] = [replica(), replica()];
  await a.keeping.open();
  await b.keeping.open();
  const before = [await sign(a), await sign(b)];
  const kid = a.ring.current('ES256')?.kid;
  expect(await a.keeping.rotate(ASKED)).toMatchObject({ done: true });
  expect(a.ring.current('ES256')?.kid).not.toBe(kid);
  // b has not looked yet: it signs with the old key, and knows the new one already
  const between = [await sign(a), await sign(b)];
  for (const jws of [...before, ...between]) for (const each of [a, b]) expect(await verified(jws, each)).toBe(true);
  await b.keeping.tick();
  expect(b.ring.jwks).toEqual(a.ring.jwks);
  expect(b.ring.current('ES256')?.kid).toBe(a.ring.current('ES256')?.kid);
  for (const jws of [...before, ...between, await sign(b)]) expect(await verified(jws, b)).toBe(true);
});

test('two replicas that rotate at once make one rotation', async () => {
  const [a, b] = [replica(), replica()];
  await a.keeping.open();
  await b.keeping.open();
  const outcomes = await Promise.all([a.keeping.rotate(ASKED), b.keeping.rotate(ASKED)]);
  expect(outcomes.filter(({ done }) => done)).toHaveLength(1);
  expect(outcomes.find(({ done }) => !done)).toEqual({
    done: false,
    tooSoon: { possibleAt: time + PUBLISH_AHEAD_MS, why: 'not_announced' },
  });
  expect((await sqlSigningKeys(database).list()).map(({ state }) => state)).toEqual(['active', 'next', 'retiring']);
  expect([...a.does(), ...b.does()].filter((action) => action === 'keys.rotated')).toHaveLength(1);
});

test('a header that was written before the rotation is signed with the key it names', async () => {
  const a = replica();
  await a.keeping.open();
  const kid = a.ring.current('ES256')?.kid;
  await a.keeping.rotate(ASKED);
  expect(await verified(await sign(a, kid), a)).toBe(true);
  await expect(sign(a, 'of nobody')).rejects.toThrow(KeyCannotBeOpened);
});

test('a rotation by schedule and the end of a key are on record, in the name of the server', async () => {
  const a = replica({ everyDays: 1 });
  await a.keeping.open();
  const [old] = await sqlSigningKeys(database).list();
  time += DAY;
  await a.keeping.tick();
  time += KEPT_MS;
  await a.keeping.tick();
  await a.keeping.tick();
  expect(a.does()).toEqual(['keys.made', 'keys.made', 'keys.rotated', 'keys.made', 'keys.removed']);
  expect(a.events.seen.at(-1)).toMatchObject({
    type: 'portcullis.admin.v1',
    tenant: 'default',
    data: { actor: 'auth-server', target: old?.kid, reason: 'ES256' },
  });
  expect(a.events.seen[2]?.data).toMatchObject({ reason: `ES256; replaces ${old?.kid}` });
  expect(a.kids()).not.toContain(old?.kid);
  expect(JSON.stringify(a.events.seen)).not.toContain(old?.sealed);
});

test('who asked for a rotation is on record before it happens; what cannot be recorded does not happen', async () => {
  const a = replica();
  await a.keeping.open();
  const before = a.ring.jwks;
  a.events.state.full = true;
  await expect(a.keeping.rotate(ASKED)).rejects.toThrow();
  await a.keeping.tick();
  expect(a.ring.jwks).toEqual(before);
  a.events.state.full = false;
  await a.keeping.rotate({ ...ASKED, early: true });
  const rotated = a.events.seen.find(({ data }) => (data as { action: string }).action === 'keys.rotated');
  expect(rotated?.data).toMatchObject({
    actor: 'local-admin/1',
    reason: expect.stringMatching(/; asked for, at once$/),
  });
});

test('a rotation that comes too soon says when it may come; early it may after ten seconds', async () => {
  const a = replica();
  await a.keeping.open();
  await a.keeping.rotate(ASKED);
  const made = time;
  time += 1000;
  expect(await a.keeping.rotate(ASKED)).toEqual({
    done: false,
    tooSoon: { possibleAt: made + PUBLISH_AHEAD_MS, why: 'not_announced' },
  });
  expect(await a.keeping.rotate({ ...ASKED, early: true })).toEqual({
    done: false,
    tooSoon: { possibleAt: made + NOTICE_MS, why: 'not_announced' },
  });
  time = made + NOTICE_MS;
  expect(await a.keeping.rotate({ ...ASKED, early: true })).toMatchObject({ done: true });
});

test('a new algorithm is announced by a key that does not sign, and ES256 signs meanwhile', async () => {
  await replica().keeping.open();
  const a = replica({ inUse: ['ES256', 'EdDSA'] });
  await a.keeping.open();
  expect([a.ring.algorithmFor('EdDSA'), a.ring.jwks.keys.map(({ alg }) => alg)]).toEqual([
    'ES256',
    ['ES256', 'ES256', 'EdDSA'],
  ]);
  time += PUBLISH_AHEAD_MS;
  await a.keeping.tick();
  expect(a.ring.algorithmFor('EdDSA')).toBe('EdDSA');
  expect(a.ring.algorithmFor('RS256')).toBe('ES256');
});

test('with a new KEY_ENCRYPTION_KEY in front, keys are sealed anew, and open without the old one from then on', async () => {
  const a = replica();
  await a.keeping.open();
  await replica({ signers: sealedSigners([newer, kek]) }).keeping.open();
  const b = replica({ signers: sealedSigners([newer]) });
  await b.keeping.open();
  expect(await verified(await sign(b), a)).toBe(true);
  await expect(replica().keeping.open()).rejects.toThrow(KeyCannotBeOpened);
});

test('a replica that cannot open a new key publishes it, says so once, and signs with what it has until then', async () => {
  const [a, b] = [replica(), replica({ signers: sealedSigners([newer, kek]) })];
  await a.keeping.open();
  await b.keeping.open();
  await b.keeping.rotate(ASKED);
  await a.keeping.tick();
  await a.keeping.tick();
  expect(a.ring.jwks).toEqual(b.ring.jwks);
  expect(a.errors).toEqual(['a signing key does not open here']);
  expect(await verified(await sign(a), b)).toBe(true);
});

test('the keys of a vault sign without ever being here', async () => {
  const { signers, asked } = vault();
  const a = replica({ signers });
  await a.keeping.open();
  await a.keeping.rotate(ASKED);
  expect(await verified(await sign(a), a)).toBe(true);
  expect(asked.signatures).toBe(1);
  expect((await sqlSigningKeys(database).list()).map(({ kid, sealed }) => sealed === `vault:${kid}`)).toEqual([
    true,
    true,
    true,
  ]);
});
