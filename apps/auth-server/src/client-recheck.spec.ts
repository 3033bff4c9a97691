import { jest } from '@jest/globals';
import { memoryBus } from '@portcullis/bus/bus.memory';
import type { Bus } from '@portcullis/bus/bus';
import type { JWK } from 'jose';
import { askAdmin } from './admin.fixture.js';
import {
  adminToken,
  assertion,
  ASSERTION_TYPE,
  postToken,
  privateJwk,
  startGate,
  world,
  type Gate,
} from './gate.fixture.js';

let gate: Gate;
/** another replica */
let other: Gate;
let key: JWK;
/** what happens while the client's own server is asked for its keys */
let meanwhile: () => Promise<unknown> = async () => {};
beforeAll(async () => {
  jest.spyOn(console, 'warn').mockReturnValue();
  key = { ...(await privateJwk()), kid: 'one' };
  const { d: _d, ...open } = key;
  const fetchOutside = async (): Promise<Response> => {
    await meanwhile();
    return Response.json({ keys: [open] });
  };
  const bus = memoryBus();
  const of = { ...(await world()), adminKey: await privateJwk() };
  gate = await startGate(of, { fetchOutside, bus }, { OUTSIDE_ALLOWED_HOSTS: 'keys.example' });
  const subscribe = ((topic, group, ...more) => bus.subscribe(topic, `${group}-other`, ...more)) as Bus['subscribe'];
  other = await startGate(
    { ...of, port: 0 },
    { fetchOutside, bus: { ...bus, subscribe } },
    { AUTH_ISSUER: gate.issuer, OUTSIDE_ALLOWED_HOSTS: 'keys.example' },
  );
}, 60_000);
afterAll(async () => {
  await other.close();
  await gate.close();
  await gate.database.close();
});

test.each([
  ['the replica that is told', () => gate],
  ['another replica', () => other],
])('a client that is disabled while its own server is asked for its keys gets no token from %s', async (_says, at) => {
  const admin = await adminToken(gate, gate.uris.authAdmin, 'admin:clients platform:admin');
  const { body } = await askAdmin(gate, admin, 'POST', '/clients', {
    name: 'slow',
    auth_method: 'private_key_jwt',
    // one for each, since keys are kept
    jwks_uri: `https://keys.example/${at() === gate ? 'one' : 'two'}`,
    scopes: ['customer:read'],
    dpop_bound_access_tokens: false,
  });
  const id = String(body.client_id);
  let disabled: number | undefined;
  meanwhile = async () => {
    disabled = (await askAdmin(gate, admin, 'PATCH', `/clients/${id}`, { disabled: true })).status;
    await new Promise((resolve) => setTimeout(resolve, 600));
  };
  const reply = await postToken(at(), {
    grant_type: 'client_credentials',
    client_assertion_type: ASSERTION_TYPE,
    client_assertion: await assertion(key, id, gate.issuer, {}, { alg: 'ES256', kid: 'one' }),
  });
  expect(disabled).toBe(200);
  expect([reply.status, reply.body.error]).toEqual([401, 'invalid_client']);
});
