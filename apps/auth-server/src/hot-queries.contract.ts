import type { Database } from '@portcullis/sql/database';
import { recorded, tableScans, type RecordedDatabase } from '@portcullis/sql/recording.fixture';
import { sql } from 'kysely';
import { sqlArtefacts } from './artefacts.sql.js';
import { sqlClients } from './clients.sql.js';
import { exchange, grantAs } from './flow.fixture.js';
import { assertion, ASSERTION_TYPE, postToken, secretOf, startGate, world, type Gate } from './gate.fixture.js';
import { proven } from './proofs.fixture.js';
import { sqlRefreshTokens } from './refresh-tokens.sql.js';
import { sqlRevocations } from './revocations.sql.js';
import { show } from './shown-token.fixture.js';

const ROWS = 10_000;
/** A handful of rows, however much there is of everything else: reading them all is the quickest way. */
const SMALL = ['signing_keys', 'bootstrap_links'];

/** What each request costs the database when there is a lot in it. @param open an empty one */
export function hotQueriesContract(open: () => Promise<Database>): void {
  let database: RecordedDatabase;
  let gate: Gate;
  beforeAll(async () => {
    database = recorded(await open());
    gate = await startGate(await world(database));
    await everyFlow(gate);
    await signIn(gate);
    await fill(database);
  }, 120_000);
  afterAll(async () => {
    await gate.close();
    await database.close();
  });

  test(`no request of any flow reads a table of ${ROWS} rows from end to end`, async () => {
    database.statements.clear();
    await everyFlow(gate);
    const asked = [...database.statements.values()];
    for (const table of ['clients', 'users', 'artefacts', 'refresh_tokens', 'revocations']) {
      expect(asked.some((query) => query.sql.includes(`"auth"."${table}"`))).toBe(true);
    }
    expect(large(await tableScans(database, asked))).toEqual([]);
  });

  test('neither does what runs every now and then: sweeping, and asking what was revoked since', async () => {
    const now = Date.now();
    const revocations = sqlRevocations(database);
    const { horizon } = await revocations.since(undefined, now);
    database.statements.clear();
    await revocations.since(horizon, now);
    await revocations.forget(await revocations.expired(now, 100), now);
    await sqlArtefacts(database).sweep(now);
    await sqlRefreshTokens(database).sweep(now);
    await sqlRefreshTokens(database).dropSeals();
    await sqlClients(database).sweepSecrets(now);
    expect(database.statements.size).toBeGreaterThan(5);
    expect(large(await tableScans(database, database.statements.values()))).toEqual([]);
  });

  test('a scan is seen as one', async () => {
    database.statements.clear();
    await sql`select 1 from auth.clients where name = 'x'`.execute(database.everyTenant('auth'));
    expect(await tableScans(database, database.statements.values())).toEqual([
      expect.stringMatching(/^clients: select/),
    ]);
  });
}

const large = (scans: readonly string[]): string[] =>
  scans.filter((scan) => !SMALL.some((table) => scan.startsWith(`${table}:`)));

async function signIn(gate: Gate) {
  const { code = '', verifier } = await grantAs(gate, gate.demo.users[0]!, { scope: 'customer:read' });
  return { code, verifier, reply: await exchange(gate, code, verifier) };
}

/** Every grant, and what is asked about its tokens. */
async function everyFlow(gate: Gate): Promise<void> {
  const { demo } = gate;
  const support = secretOf(demo, 'support-agent');
  const machine = await postToken(gate, { grant_type: 'client_credentials' }, support);
  const signed = await postToken(
    gate,
    {
      grant_type: 'client_credentials',
      client_assertion_type: ASSERTION_TYPE,
      client_assertion: await assertion(demo.clients['secure-agent'].private_jwk!, 'secure-agent', gate.issuer),
    },
    await proven(gate),
  );
  const { code, verifier, reply: person } = await signIn(gate);
  const token = String(person.body.refresh_token);
  const again = { grant_type: 'refresh_token', refresh_token: token, client_id: 'desktop' };
  const refreshed = await postToken(gate, again);
  const repeated = await postToken(gate, again);
  const introspected = await show(gate, '/introspect', { token: String(machine.body.access_token) }, support);
  const revoked = await show(gate, '/revoke', { token: String(machine.body.access_token) }, support);
  const pushed = await fetch(`${gate.url}/par`, {
    method: 'POST',
    body: new URLSearchParams({
      client_id: 'desktop',
      response_type: 'code',
      redirect_uri: 'http://127.0.0.1:53211/callback',
      code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
      code_challenge_method: 'S256',
    }),
  });
  const replayed = await exchange(gate, code, verifier);
  const dead = await postToken(gate, { ...again, refresh_token: String(refreshed.body.refresh_token) });
  const statuses = [machine, signed, person, refreshed, repeated, introspected, revoked, pushed, replayed, dead];
  expect(statuses.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200, 200, 201, 400, 400]);
}

/** Copies what the flows left behind, with other ids, until each table has many rows. */
async function fill(database: Database): Promise<void> {
  const db = database.everyTenant<object>('auth');
  const ids: Record<string, readonly string[]> = {
    clients: ['client_id'],
    users: ['user_id', 'username'],
    artefacts: ['id_hash', 'grant_id', 'session_uid', 'account_id'],
    refresh_tokens: ['token_hash', 'grant_id', 'account_id'],
    revocations: ['id'],
  };
  for (const [table, columns] of Object.entries(ids)) {
    const others = sql.join(columns.flatMap((column) => [sql.lit(column), sql`kept.${sql.ref(column)} || '-' || i`]));
    await sql`
      insert into ${sql.id('auth', table)}
      select (jsonb_populate_record(kept, jsonb_build_object(${others}))).*
      from ${sql.id('auth', table)} kept,
        generate_series(1, ${sql.lit(ROWS)} / (select count(*) from ${sql.id('auth', table)}) + 1) i`.execute(db);
    await sql`analyze ${sql.id('auth', table)}`.execute(db);
  }
}
