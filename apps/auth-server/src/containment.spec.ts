import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { SIGNED_TOPICS, heartbeatKey } from '@portcullis/contract/containment';
import { revocationSchema } from '@portcullis/contract/revocation';
import { remoteKeys } from '@portcullis/guard/jwks.http';
import { readStatement } from '@portcullis/guard/statement';
import { v7 as uuidv7 } from 'uuid';
import { postToken, secretOf, startGate, world, type Gate, type World } from './gate.fixture.js';
import { keyParts } from './revocations.js';
import { show } from './shown-token.fixture.js';

const TOPIC = 'portcullis.revocations';
const SIGNERS = Object.values(SIGNED_TOPICS).map(({ signer }) => signer);
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

/** What the topic holds now, as a replica that comes later reads it with the keys that are published. */
async function held(): Promise<{ key: string; body: unknown }[]> {
  const keys = remoteKeys({ jwksUri: `${gate.issuer}/containment/auth-server/jwks`, now: Date.now });
  const said: { key: string; body: unknown }[] = [];
  const subscription = await gate.bus.subscribe(TOPIC, uuidv7(), async (messages) => {
    for (const message of messages) {
      const statement = await readStatement(TOPIC, message, keys);
      if (typeof statement !== 'string') said.push({ key: statement.key, body: statement.body });
    }
  });
  await subscription.stop();
  return said;
}
const revocation = async () => (await held()).find(({ body }) => revocationSchema.safeParse(body).success);

test.each(SIGNERS)('the public keys of %s are published', async (signer) => {
  const response = await fetch(`${gate.issuer}/containment/${signer}/jwks`);
  expect(response.status).toBe(200);
  const set = await response.json();
  expect(set).toEqual(of.containment.publicKeys[signer]);
  expect(JSON.stringify(set)).not.toContain('"d"');
});

test.each(['nobody', 'constructor', '__proto__'])('%s has no keys here', async (signer) =>
  expect((await fetch(`${gate.issuer}/containment/${signer}/jwks`)).status).toBe(404),
);

test('what is revoked is signed, and what somebody else puts in its place is mended', async () => {
  const support = secretOf(of.demo, 'support-agent');
  const token = String((await postToken(gate, { grant_type: 'client_credentials' }, support)).body.access_token);
  expect(await show(gate, '/revoke', { token }, support)).toMatchObject({ status: 200 });
  const said = (await revocation())!;
  expect(keyParts(said.key)).toMatchObject({ tenant: 'default', what: 'token' });
  expect((await held()).map(({ key }) => key)).toContain(heartbeatKey(TOPIC));
  for (const value of ['{"until":"1970-01-01T00:00:00.000Z"}', '']) {
    await gate.bus.publish(TOPIC, [{ key: said.key, value }]);
    expect(await revocation()).toBeUndefined();
    while ((await revocation()) === undefined) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await revocation()).toEqual(said);
  }
  expect((await show(gate, '/introspect', { token }, support)).body).toEqual({ active: false });
}, 60_000);

test('a key names what can be revoked, or nothing', () => {
  expect(keyParts('acme/client/https://a.example/x')).toEqual({
    tenant: 'acme',
    what: 'client',
    id: 'https://a.example/x',
  });
  const none = ['', 'x', 'acme/client', 'acme/client/', 'acme/all/1', 'Acme/token/1', 'acme/token/a b', '/heartbeat/a'];
  for (const key of none) expect(keyParts(key)).toBeUndefined();
});
