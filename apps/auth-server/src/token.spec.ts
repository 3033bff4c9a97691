import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { postToken, secretOf, startGate, world, type Gate, MCP } from './gate.fixture.js';

let gate: Gate;
beforeAll(async () => {
  gate = await startGate(await world());
}, 30_000);
afterAll(async () => {
  await gate.close();
  await gate.database.close();
});

test('x', async () => {
  const reply = await postToken(
    gate,
    { grant_type: 'client_credentials', scope: 'customer:read' },
    secretOf(gate.demo, 'support-agent'),
  );
  console.log(reply.status, reply.text, gate.lines.join('\n'), JSON.stringify(gate.events.seen));
  console.log(await (await fetch(gate.issuer + '/.well-known/openid-configuration')).text());
  console.log(await (await fetch(gate.issuer + '/jwks')).text());
  const { payload } = await jwtVerify(
    String(reply.body.access_token),
    createRemoteJWKSet(new URL(gate.issuer + '/jwks')),
  );
  console.log(payload, decodeProtectedHeader(String(reply.body.access_token)), MCP);
});
