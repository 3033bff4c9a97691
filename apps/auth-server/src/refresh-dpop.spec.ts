import { proofKey } from '@portcullis/guard/proof.fixture';
import { decodeJwt } from 'jose';
import { exchange, grantAs } from './flow.fixture.js';
import { postToken, startGate, world, type Gate, type TokenReply, type World } from './gate.fixture.js';
import { proven } from './proofs.fixture.js';

let of: World;
let gate: Gate;
beforeAll(async () => {
  of = await world();
  gate = await startGate(of);
}, 60_000);
afterAll(async () => {
  await gate.close();
  await of.database.close();
});

type Key = Awaited<ReturnType<typeof proofKey>>;
/** A person signs in with a public client that proves a key. */
async function signedIn(key: Key): Promise<TokenReply> {
  const { code, verifier } = await grantAs(gate, of.demo.users[0]!, { scope: 'customer:read' });
  const reply = await exchange(gate, code ?? '', verifier, {}, await proven(gate, key));
  if (reply.status !== 200) throw new Error(reply.text);
  return reply;
}
const refresh = (reply: TokenReply, headers: { dpop?: string } = {}) =>
  postToken(
    gate,
    { grant_type: 'refresh_token', client_id: 'desktop', refresh_token: String(reply.body.refresh_token) },
    headers,
  );
const bindingOf = (reply: TokenReply) => decodeJwt<{ cnf?: { jkt: string } }>(String(reply.body.access_token)).cnf?.jkt;
const DEAD = { status: 400, body: { error: 'invalid_grant' } };
const WRONG_PROOF = { status: 400, body: { error: 'invalid_dpop_proof' } };

test('the refresh token of a public client that proves a key works with that key, and its tokens are bound to it', async () => {
  const key = await proofKey();
  const first = await signedIn(key);
  const second = await refresh(first, await proven(gate, key));
  expect(second).toMatchObject({ status: 200, body: { token_type: 'DPoP' } });
  expect([bindingOf(first), bindingOf(second)]).toEqual([expect.any(String), bindingOf(first)]);
  expect(await refresh(second, await proven(gate, key))).toMatchObject({ status: 200 });
});

test('without a proof it is refused, and still good: nothing shows that it is in other hands', async () => {
  const key = await proofKey();
  const first = await signedIn(key);
  expect(await refresh(first)).toMatchObject(WRONG_PROOF);
  expect(await refresh(first, await proven(gate, key))).toMatchObject({ status: 200 });
});

test('with a proof of another key its family ends, used or not', async () => {
  const key = await proofKey();
  for (const used of [false, true]) {
    const first = await signedIn(key);
    const last = used ? await refresh(first, await proven(gate, key)) : first;
    expect(await refresh(first, await proven(gate, await proofKey()))).toMatchObject(DEAD);
    expect(await refresh(last, await proven(gate, key))).toMatchObject(DEAD);
  }
});

test('within its window it comes back with the same key and a proof of its own, and gets the same successor', async () => {
  const key = await proofKey();
  const first = await signedIn(key);
  const [one, two] = [await refresh(first, await proven(gate, key)), await refresh(first, await proven(gate, key))];
  expect([one.status, two.status]).toEqual([200, 200]);
  expect(two.body.refresh_token).toBe(one.body.refresh_token);
  expect(bindingOf(two)).toBe(bindingOf(first));
});

test('within its window without the proof its family ends', async () => {
  const key = await proofKey();
  const first = await signedIn(key);
  const second = await refresh(first, await proven(gate, key));
  expect(await refresh(first)).toMatchObject(DEAD);
  expect(await refresh(second, await proven(gate, key))).toMatchObject(DEAD);
});

test('a proof that was seen before proves nothing: it is refused and ends nothing', async () => {
  const key = await proofKey();
  const first = await signedIn(key);
  const proof = await proven(gate, key);
  const second = await refresh(first, proof);
  expect(second.status).toBe(200);
  expect(await refresh(first, proof)).toMatchObject(WRONG_PROOF);
  expect(await refresh(second, await proven(gate, key))).toMatchObject({ status: 200 });
});

test('a client that goes over to proofs gets bound tokens for its unbound refresh token', async () => {
  const { code, verifier } = await grantAs(gate, of.demo.users[0]!, { scope: 'customer:read' });
  const first = await exchange(gate, code ?? '', verifier);
  expect(bindingOf(first)).toBeUndefined();
  const second = await refresh(first, await proven(gate, await proofKey()));
  expect(second).toMatchObject({ status: 200, body: { token_type: 'DPoP' } });
  expect(bindingOf(second)).toEqual(expect.any(String));
});
