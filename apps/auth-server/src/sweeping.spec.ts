import { sql } from 'kysely';
import { exchange, grantAs } from './flow.fixture.js';
import { adminToken, startGate, world, type Gate } from './gate.fixture.js';
import { askAdmin } from './admin.fixture.js';
import { AUTH } from './tables.js';

let gate: Gate;
beforeAll(async () => {
  gate = await startGate(await world(), { sweepEveryMs: 50 });
});
afterAll(async () => {
  await gate.close();
  await gate.database.close();
});

const count = async (what: string): Promise<number> => {
  const { rows } = await sql<{ n: number }>`select count(*)::int as n from ${sql.raw(what)}`.execute(
    gate.database.everyTenant<object>(AUTH),
  );
  return rows[0]?.n ?? -1;
};
const run = (text: string) => sql.raw(text).execute(gate.database.everyTenant<object>(AUTH));

/** Asks until there is nothing left of it; the test's own time ends what never comes. */
async function gone(what: string): Promise<void> {
  while ((await count(what)) > 0) await new Promise((resolve) => setTimeout(resolve, 50));
}

test('a server that runs sweeps away what has expired: sessions, codes, grants, refresh tokens, revocations, secrets', async () => {
  const { code = '', verifier } = await grantAs(gate, gate.demo.users[0]!, { scope: 'customer:read' });
  expect((await exchange(gate, code, verifier)).status).toBe(200);
  const admin = await adminToken(gate, gate.uris.authAdmin, 'admin:clients');
  const rotated = await askAdmin(gate, admin, 'POST', '/clients/support-agent/secret', { overlap_seconds: 3600 });
  expect(rotated.status).toBe(200);
  const revoked = await askAdmin(gate, admin, 'POST', '/revocations', { what: 'client', id: 'support-agent' });
  expect(revoked.status).toBeLessThan(300);

  const secrets = 'auth.clients where previous_secret_hash is not null';
  const kept = ['auth.artefacts', 'auth.refresh_tokens', 'auth.revocations', secrets];
  for (const what of kept) expect([what, await count(what)]).not.toEqual([what, 0]);

  await run(`update auth.artefacts set expires_at = now() - interval '1 hour'`);
  await run(`update auth.refresh_tokens set expires_at = now() - interval '1 hour'`);
  await run(`update auth.revocations set until = now() - interval '1 hour'`);
  await run(
    `update auth.clients set previous_secret_until = now() - interval '1 hour' where previous_secret_hash is not null`,
  );
  await Promise.all(kept.map(gone));
});
