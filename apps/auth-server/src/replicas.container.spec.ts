import { testPostgres } from '@portcullis/sql/postgres.fixture';
import { openPostgres } from '@portcullis/sql/postgres.sql';
import { adminToken, postToken, secretOf, startGate, world } from './gate.fixture.js';
import { startReplicas, type Replicas } from './replicas.fixture.js';

let replicas: Replicas;
beforeAll(async () => {
  replicas = await startReplicas(await testPostgres().freshUrl());
});
afterAll(() => replicas.close());

test('two replicas on one database have one issuer and one set of keys, and each issues tokens', async () => {
  const sets = await Promise.all(
    replicas.gates.map(async (gate) => {
      const reply = await postToken(
        gate,
        { grant_type: 'client_credentials' },
        secretOf(replicas.of.demo, 'support-agent'),
      );
      expect([reply.status, reply.text]).toEqual([200, expect.stringContaining('access_token')]);
      return (await fetch(`${gate.url}/jwks`)).json();
    }),
  );
  expect(sets[0]).toEqual(sets[1]);
  const issuers = replicas.gates.map(({ issuer, url }) => [issuer, url]);
  expect(issuers[0]?.[0]).toBe(issuers[1]?.[0]);
  expect(issuers[0]?.[1]).not.toBe(issuers[1]?.[1]);
});

test('what an administrator changes at one replica, the other obeys', async () => {
  const [left, right] = replicas.gates;
  const bearer = { authorization: `Bearer ${await adminToken(left, left.uris.authAdmin, 'admin:clients')}` };
  const path = '/admin/v1/clients/reporting-agent';
  const gone = await fetch(`${right.url}${path}`, { method: 'DELETE', headers: bearer });
  expect(gone.status).toBe(204);
  const reply = await postToken(
    left,
    { grant_type: 'client_credentials' },
    secretOf(replicas.of.demo, 'reporting-agent'),
  );
  expect([reply.status, reply.body.error]).toEqual([401, 'invalid_client']);
});

test('three that start at once on an empty database make one schema and one set of keys', async () => {
  const url = await testPostgres().freshUrl();
  const databases = await Promise.all([1, 2, 3].map(() => openPostgres(url, { onBroken: () => undefined })));
  const of = await world(databases[0]);
  const gates = await Promise.all(
    databases.map((database) => startGate({ ...of, database, port: 0 }, {}, { AUTH_ISSUER: 'http://127.0.0.1:4400' })),
  );
  const sets = await Promise.all(gates.map(async (gate) => (await fetch(`${gate.url}/jwks`)).text()));
  expect(new Set(sets).size).toBe(1);
  for (const gate of gates) {
    const reply = await postToken(gate, { grant_type: 'client_credentials' }, secretOf(of.demo, 'support-agent'));
    expect(reply.status).toBe(200);
  }
  await Promise.all(gates.map((gate) => gate.close()));
  await Promise.all(databases.map((database) => database.close()));
});
