import { remoteKeys } from '@portcullis/guard/jwks.http';
import { verifyAccessToken } from '@portcullis/guard/token';
import { migrate } from '@portcullis/sql/migrate.sql';
import { testPostgres } from '@portcullis/sql/postgres.fixture';
import { decodeProtectedHeader } from 'jose';
import { sql } from 'kysely';
import { adminToken, MCP, postToken, secretOf, type Gate } from './gate.fixture.js';
import { startReplicas, type Replicas } from './replicas.fixture.js';
import { signingKeysContract } from './signing-keys.contract.js';
import { sqlSigningKeys } from './signing-keys.sql.js';

describe('signing keys in Postgres', () =>
  signingKeysContract(async () => {
    const database = await testPostgres().open();
    opened.push(database);
    await migrate(database, 'auth', new URL('../migrations/', import.meta.url));
    return sqlSigningKeys(database);
  }));
const opened: { close(): Promise<void> }[] = [];
afterAll(() => Promise.all(opened.map((database) => database.close())));

describe('two replicas on one Postgres', () => {
  let replicas: Replicas;
  let admin: string;
  beforeAll(async () => {
    replicas = await startReplicas(await testPostgres().freshUrl());
    const [left] = replicas.gates;
    admin = await adminToken(left, left.uris.authAdmin, 'admin:keys');
  });
  afterAll(() => replicas.close());

  const rotate = (gate: Gate, body: object) =>
    fetch(`${gate.url}/admin/v1/keys/rotate`, {
      method: 'POST',
      headers: { authorization: `Bearer ${admin}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const issue = async (gate: Gate): Promise<string> => {
    const reply = await postToken(
      gate,
      { grant_type: 'client_credentials' },
      secretOf(replicas.of.demo, 'support-agent'),
    );
    if (reply.status !== 200) throw new Error(reply.text);
    return String(reply.body.access_token);
  };
  const published = async (gate: Gate) => (await fetch(`${gate.url}/jwks`)).json();
  const verifier = (gate: Gate) => {
    const keys = remoteKeys({ jwksUri: `${gate.url}/jwks`, now: Date.now });
    return (token: string) => verifyAccessToken(token, { issuer: gate.issuer, audience: MCP, keys, now: Date.now });
  };
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

  test('one rotates under load: the other signs with the new key within two seconds, and every token is good at both', async () => {
    const [left, right] = replicas.gates;
    const verifiers = [verifier(left), verifier(right)];
    const failures: unknown[] = [];
    const kids = new Map<Gate, Set<unknown>>([left, right].map((gate) => [gate, new Set()]));
    let running = true;
    let verified = 0;
    const load = [left, right].map(async (gate) => {
      while (running) {
        const token = await issue(gate);
        kids.get(gate)?.add(decodeProtectedHeader(token).kid);
        for (const verify of verifiers) {
          await verify(token).then(
            () => (verified += 1),
            (error: unknown) => failures.push(error),
          );
        }
        await pause(2);
      }
    });
    await pause(300);
    const reply = await rotate(left, {});
    expect(reply.status).toBe(200);
    const { items } = (await reply.json()) as { items: { kid: string; state: string }[] };
    const signs = items.find(({ state }) => state === 'active')?.kid;
    await pause(2_000);
    expect([left, right].map((gate) => kids.get(gate)?.has(signs))).toEqual([true, true]);
    expect(await published(right)).toEqual(await published(left));
    expect(decodeProtectedHeader(await issue(right)).kid).toBe(signs);
    running = false;
    await Promise.all(load);
    expect(failures).toEqual([]);
    expect(verified).toBeGreaterThan(50);
  });

  test('both rotate at once: one does, and the other says that it is too soon', async () => {
    // as if the next key had been published an hour ago
    await sql`update auth.signing_keys set not_before = not_before - interval '1 hour' where state = 'next'`.execute(
      replicas.of.database.everyTenant('auth'),
    );
    const replies = await Promise.all(replicas.gates.map((gate) => rotate(gate, {})));
    expect(replies.map(({ status }) => status).sort()).toEqual([200, 409]);
    await pause(2_000);
    const [left, right] = replicas.gates;
    expect(await published(left)).toEqual(await published(right));
    const rotations = replicas.gates.flatMap(({ events }) =>
      events.seen.filter(({ data }) => (data as { action: string }).action === 'keys.rotated'),
    );
    expect(rotations).toHaveLength(2);
  });
});
