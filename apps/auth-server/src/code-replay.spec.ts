import { principalId } from '@portcullis/contract/ids';
import { decodeJwt } from 'jose';
import { sql } from 'kysely';
import { pkce } from './browser.fixture.js';
import { CALLBACK, exchange, grantAs } from './flow.fixture.js';
import { postToken, startGate, world, type Gate, type TokenReply, type World } from './gate.fixture.js';
import { asWebClient, putWebClient } from './web-client.fixture.js';

let of: World;
let gate: Gate;
beforeAll(async () => {
  of = await world();
  gate = await startGate(of);
  for (const tenant of ['default', 'acme']) await putWebClient(of, tenant);
}, 60_000);
afterAll(async () => {
  await gate.close();
  await of.database.close();
});

const granted = async () => {
  const { code = '', verifier } = await grantAs(gate, of.demo.users[0]!, { scope: 'customer:read' });
  return { code, verifier };
};
const refresh = (reply: TokenReply) =>
  postToken(gate, {
    grant_type: 'refresh_token',
    client_id: 'desktop',
    refresh_token: String(reply.body.refresh_token),
  });
const claimsOf = (reply: TokenReply) => decodeJwt<{ grant_id: string }>(String(reply.body.access_token));
const isRevoked = async (grantId: string): Promise<boolean> => {
  const { rows } = await sql`
    select 1 from auth.revocations where tenant = 'default' and what = 'grant' and id = ${grantId} and by = 'rule:code-replay'`.execute(
    of.database.everyTenant<object>('auth'),
  );
  return rows.length === 1;
};
const compromised = () =>
  gate.events.seen.filter(({ data }) => 'action' in data && data.action === 'grant.compromised');

type Replay = (code: string, verifier: string) => Promise<TokenReply>;

test.each<[string, Replay]>([
  ['by the same client', (code, verifier) => exchange(gate, code, verifier)],
  ['without the verifier', (code) => exchange(gate, code, pkce().verifier)],
  ['with another redirect_uri', (code, verifier) => exchange(gate, code, verifier, { redirect_uri: `${CALLBACK}/x` })],
  ['for another resource', (code, verifier) => exchange(gate, code, verifier, { resource: 'https://other.example/' })],
  ['by another client', (code, verifier) => exchange(gate, code, verifier, {}, asWebClient('default'))],
])('a used code that comes back %s ends all that it gave', async (_says, replay) => {
  const { code, verifier } = await granted();
  const first = await exchange(gate, code, verifier);
  expect(first.status).toBe(200);
  const { grant_id, sub } = claimsOf(first);
  const again = await replay(code, verifier);
  expect(again).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  expect(await isRevoked(grant_id)).toBe(true);
  expect(await refresh(first)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  expect(compromised().at(-1)).toMatchObject({
    subject: principalId('default', 'desktop', sub),
    data: { clientId: 'desktop', sub, grantId: grant_id, reason: expect.stringContaining('authorization code') },
  });
});

test('also after it has been refreshed, and after the minute that a code is good for', async () => {
  const { code, verifier } = await granted();
  const first = await exchange(gate, code, verifier);
  const second = await refresh(first);
  await sql`
    update auth.artefacts set payload = jsonb_set(payload::jsonb, '{exp}', '1')::text
    where kind = 'AuthorizationCode' and grant_id = ${claimsOf(first).grant_id}`.execute(
    of.database.everyTenant<object>('auth'),
  );
  expect(await exchange(gate, code, verifier)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  expect(await isRevoked(claimsOf(first).grant_id)).toBe(true);
  expect(await refresh(second)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
});

test('of ten who redeem a code at once at most one gets tokens, and they are dead', async () => {
  const { code, verifier } = await granted();
  const replies = await Promise.all(Array.from({ length: 10 }, () => exchange(gate, code, verifier)));
  const given = replies.filter(({ status }) => status === 200);
  expect(given.length).toBeLessThanOrEqual(1);
  for (const reply of replies.filter(({ status }) => status !== 200)) {
    expect(reply).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  }
  for (const reply of given) {
    expect(await isRevoked(claimsOf(reply).grant_id)).toBe(true);
    expect(await refresh(reply)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  }
});

test('a code that was not used yet is not harmed by another client, nor by a wrong verifier', async () => {
  const before = compromised().length;
  const { code, verifier } = await granted();
  expect(await exchange(gate, code, verifier, {}, asWebClient('default'))).toMatchObject({ status: 400 });
  expect(await exchange(gate, code, pkce().verifier)).toMatchObject({ status: 400 });
  expect(await exchange(gate, code, verifier)).toMatchObject({ status: 200 });
  expect(compromised()).toHaveLength(before);
});

test("to another tenant's client a used code is an unknown one, and nothing happens", async () => {
  const { code, verifier } = await granted();
  const first = await exchange(gate, code, verifier);
  const before = compromised().length;
  const theirs = await exchange(gate, code, verifier, {}, asWebClient('acme'));
  const unknown = await exchange(gate, 'unknown', verifier, {}, asWebClient('acme'));
  expect([theirs.status, theirs.body]).toEqual([unknown.status, unknown.body]);
  expect(compromised()).toHaveLength(before);
  expect(await refresh(first)).toMatchObject({ status: 200 });
});

test('it is one grant that ends: the person signs in again and goes on', async () => {
  const [one, other] = [await granted(), await granted()];
  const [first, kept] = [
    await exchange(gate, one.code, one.verifier),
    await exchange(gate, other.code, other.verifier),
  ];
  await exchange(gate, one.code, one.verifier);
  expect(await refresh(first)).toMatchObject({ status: 400 });
  expect(await refresh(kept)).toMatchObject({ status: 200 });
  const again = await granted();
  expect(await exchange(gate, again.code, again.verifier)).toMatchObject({ status: 200 });
});
