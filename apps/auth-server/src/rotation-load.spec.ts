import { remoteKeys, UNKNOWN_COOLDOWN_MS } from '@portcullis/guard/jwks.http';
import { verifyAccessToken } from '@portcullis/guard/token';
import { decodeProtectedHeader, generateKeyPair, SignJWT, type CryptoKey } from 'jose';
import { adminToken, MCP, postToken, secretOf, startGate, world, type Gate } from './gate.fixture.js';
import { NOTICE_MS } from './key-rotation.js';

/** The clock of the server and of its verifiers runs ahead of the true one, so that ten seconds pass at once. */
let ahead = 0;
const now = () => Date.now() + ahead;
let gate: Gate;
let forger: CryptoKey;
beforeAll(async () => {
  [gate, { privateKey: forger }] = await Promise.all([startGate(await world(), { now }), generateKeyPair('ES256')]);
}, 60_000);
afterAll(async () => {
  await gate.close();
  await gate.database.close();
});

/** A resource server that knows the issuer by its URL only. */
function verifier() {
  let fetched = 0;
  const counting: typeof fetch = (...request) => ((fetched += 1), fetch(...request));
  const keys = remoteKeys({ jwksUri: `${gate.issuer}/jwks`, fetch: counting, now });
  const rules = { issuer: gate.issuer, audience: MCP, keys, now };
  return { verify: (token: string) => verifyAccessToken(token, rules), fetches: () => fetched };
}

const issue = async (): Promise<string> => {
  const reply = await postToken(gate, { grant_type: 'client_credentials' }, secretOf(gate.demo, 'support-agent'));
  if (reply.status !== 200) throw new Error(reply.text);
  return String(reply.body.access_token);
};
const forged = (at: number) =>
  new SignJWT({}).setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: `forged-${at}` }).sign(forger);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test('no verification fails while keys rotate under load, three times, though forged key ids come all the while', async () => {
  const admin = await adminToken(gate, gate.uris.authAdmin, 'admin:keys');
  const verifiers = Array.from({ length: 4 }, verifier);
  const tokens: string[] = [];
  const failures: unknown[] = [];
  let running = true;
  let verified = 0;
  let refused = 0;
  const client = async (at: number) => {
    while (running) {
      const token = await issue();
      tokens.push(token);
      // one that is new, and one of some time ago
      const old = tokens[(verified * 7919) % tokens.length] ?? token;
      for (const { verify } of verifiers) {
        for (const each of [token, old]) {
          await verify(each).then(
            () => (verified += 1),
            (error: unknown) => failures.push([at, decodeProtectedHeader(each).kid, error]),
          );
        }
      }
      await pause(1);
    }
  };
  const attacker = async () => {
    for (let at = 0; running; at += 1) {
      const token = await forged(at);
      for (const { verify } of verifiers) await verify(token).catch(() => (refused += 1));
      await pause(3);
    }
  };
  const begun = now();
  const load = [client(0), client(1), client(2), attacker()];
  for (const body of [{}, { now: true }, { now: true }]) {
    await pause(400);
    const reply = await fetch(`${gate.issuer}/admin/v1/keys/rotate`, {
      method: 'POST',
      headers: { authorization: `Bearer ${admin}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    expect([reply.status, reply.status === 200 || (await reply.text())]).toEqual([200, true]);
    await pause(400);
    ahead += NOTICE_MS;
  }
  running = false;
  await Promise.all(load);

  expect(failures).toEqual([]);
  expect(new Set(tokens.map((token) => decodeProtectedHeader(token).kid)).size).toBe(4);
  expect([verified > 200, refused > 100]).toEqual([true, true]);
  const allowed = 2 + Math.ceil((now() - begun) / UNKNOWN_COOLDOWN_MS);
  for (const { fetches } of verifiers) expect(fetches()).toBeLessThanOrEqual(allowed);
}, 60_000);
