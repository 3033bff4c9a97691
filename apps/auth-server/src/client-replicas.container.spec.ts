import { setTimeout as wait } from 'node:timers/promises';
import { testPostgres } from '@portcullis/sql/postgres.fixture';
import { askAdmin, machine } from './admin.fixture.js';
import { pkce } from './browser.fixture.js';
import { adminToken, basic, jsonOf, postToken, type Gate } from './gate.fixture.js';
import { startReplicas, type Replicas } from './replicas.fixture.js';

const GRANT = { grant_type: 'client_credentials' };
/** What one replica changed counts at the other by then. */
const SECOND = 1000;
let replicas: Replicas;
let left: Gate;
let right: Gate;
let token: string;
beforeAll(async () => {
  replicas = await startReplicas(await testPostgres().freshUrl());
  [left, right] = replicas.gates;
  token = await adminToken(left, left.uris.authAdmin, 'admin:clients');
});
afterAll(() => replicas.close());

const at = (gate: Gate) => ({ issuer: gate.url });
const admin = (gate: Gate, method: string, path: string, body?: unknown, headers = {}) =>
  askAdmin(at(gate), token, method, path, body, headers);
const added = async (more: object = {}) => {
  const { body } = await admin(left, 'POST', '/clients', machine(more));
  return { id: String(body.client_id), secret: String(body.client_secret) };
};
const status = async (gate: Gate, id: string, secret: string) =>
  (await postToken(at(gate), GRANT, basic(id, secret))).status;

test('a secret that is rotated or a client that is disabled at one replica is so at the other within a second', async () => {
  const { id, secret } = await added();
  expect(await status(right, id, secret)).toBe(200);
  const rotated = await admin(left, 'POST', `/clients/${id}/secret`, { overlap_seconds: 0 });
  const next = String(rotated.body.client_secret);
  expect(await status(left, id, secret)).toBe(401);
  await wait(SECOND);
  expect([await status(right, id, secret), await status(right, id, next)]).toEqual([401, 200]);
  await admin(left, 'PATCH', `/clients/${id}`, { disabled: true });
  expect(await status(left, id, next)).toBe(401);
  await wait(SECOND);
  expect(await status(right, id, next)).toBe(401);
});

test('of two administrators who change the same version at two replicas at once, one is told to read again', async () => {
  const { id } = await added();
  const changes = [left, right].map((gate, i) =>
    admin(gate, 'PATCH', `/clients/${id}`, { name: `Name ${i}` }, { 'if-match': '"v1"' }),
  );
  expect((await Promise.all(changes)).map((reply) => reply.status).sort()).toEqual([200, 412]);
});

test('a request that is pushed at one replica is begun at the other', async () => {
  const redirect_uri = 'https://app.example/cb';
  const { id } = await added({
    auth_method: 'none',
    redirect_uris: [redirect_uri],
    require_pushed_authorization_requests: true,
  });
  const asked = { client_id: id, response_type: 'code', redirect_uri, code_challenge_method: 'S256' };
  const body = new URLSearchParams({ ...asked, code_challenge: pkce().challenge });
  const pushed = await fetch(`${left.url}/par`, { method: 'POST', body });
  const { request_uri } = jsonOf(await pushed.text());
  const begun = new URLSearchParams({ client_id: id, request_uri: String(request_uri) });
  const reply = await fetch(`${right.url}/authorize?${begun}`, { redirect: 'manual' });
  expect([reply.status, reply.headers.get('location')]).toEqual([303, expect.stringMatching(/^\/interaction\//)]);
});
