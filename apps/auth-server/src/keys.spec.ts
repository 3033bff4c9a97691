import { remoteKeys } from '@portcullis/guard/jwks.http';
import { verifyAccessToken } from '@portcullis/guard/token';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { sql } from 'kysely';
import { exchange, grantAs } from './flow.fixture.js';
import {
  adminToken,
  jsonOf,
  MCP,
  postToken,
  secretOf,
  startGate,
  world,
  type Gate,
  type World,
} from './gate.fixture.js';
import { PUBLISH_AHEAD_MS } from './key-rotation.js';

/** Tokens of before would not live as long as it takes, so the wait is written into the database. */
const publishedLongAgo = () =>
  sql`update auth.signing_keys set not_before = not_before - interval '1 hour' where state = 'next'`.execute(
    of.database.everyTenant('auth'),
  );

/** What the clock of the server is ahead of the true one, in milliseconds. */
let ahead = 0;
const now = () => Date.now() + ahead;
let of: World;
let gate: Gate;
let token: string;
const begin = async (env: Record<string, string> = {}) => {
  gate = await startGate(of, { now }, env);
  token = await adminToken(gate, gate.uris.authAdmin, 'admin:keys');
};
beforeAll(async () => {
  of = await world();
  await begin();
}, 60_000);
afterAll(async () => {
  await gate.close();
  await of.database.close();
});

async function keys(path = '', body?: unknown, bearer = token) {
  const response = await fetch(`${gate.issuer}/admin/v1/keys${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const reply = jsonOf(text) as { items?: { kid: string; state: string }[]; retryAfterMs?: number };
  return { status: response.status, headers: response.headers, text, body: reply };
}
const statesOf = ({ body }: Awaited<ReturnType<typeof keys>>) => body.items?.map(({ state }) => state);
const published = async () =>
  (await (await fetch(`${gate.issuer}/jwks`)).json()) as { keys: { kid: string; alg: string }[] };
const issued = async (form: Record<string, string> = {}) => {
  const reply = await postToken(
    gate,
    { grant_type: 'client_credentials', ...form },
    secretOf(gate.demo, 'support-agent'),
  );
  if (reply.status !== 200) throw new Error(reply.text);
  return String(reply.body.access_token);
};

test('keys are listed as they are: what signs, and what will', async () => {
  const reply = await keys();
  expect(reply.body).toEqual({
    items: [
      {
        kid: expect.any(String),
        alg: 'ES256',
        state: 'active',
        notBefore: expect.stringMatching(/Z$/),
        notAfter: null,
      },
      { kid: expect.any(String), alg: 'ES256', state: 'next', notBefore: expect.stringMatching(/Z$/), notAfter: null },
    ],
    next_cursor: null,
  });
  expect((await published()).keys.map(({ kid }) => kid)).toEqual(reply.body.items?.map(({ kid }) => kid));
  expect(reply.text).not.toMatch(/sealed|"d"/);
});

describe('a rotation', () => {
  test('goes through at once the first time: the announced key signs, its predecessor stays, who did it is on record', async () => {
    const before = (await keys()).body.items ?? [];
    const old = await issued();
    const reply = await keys('/rotate', {});
    expect([reply.status, statesOf(reply)]).toEqual([200, ['active', 'next', 'retiring']]);
    expect(reply.body.items?.[0]?.kid).toBe(before[1]?.kid);
    expect(reply.body.items?.[2]).toMatchObject({ kid: before[0]?.kid, notAfter: expect.any(String) });
    expect(decodeProtectedHeader(await issued())).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: before[1]?.kid });
    expect(decodeProtectedHeader(old).kid).toBe(before[0]?.kid);
    expect((await published()).keys.map(({ kid }) => kid)).toEqual(reply.body.items?.map(({ kid }) => kid));
    expect(gate.events.seen.map(({ data }) => data)).toContainEqual({
      action: 'keys.rotated',
      actor: 'local-admin/1000',
      target: before[1]?.kid,
      reason: `ES256; replaces ${before[0]?.kid}; asked for`,
    });
    // the token that asked was signed with the old key
    expect((await keys()).status).toBe(200);
  });

  test('that comes before every key set was fetched anew is 409 and says when; with `now` it waits for ten seconds only', async () => {
    const reply = await keys('/rotate', {});
    expect([reply.status, reply.body]).toEqual([409, expect.objectContaining({ error: 'too_soon' })]);
    const wait = Number(reply.headers.get('retry-after'));
    expect(wait).toBeGreaterThan(PUBLISH_AHEAD_MS / 1000 - 60);
    expect(wait).toBeLessThanOrEqual(PUBLISH_AHEAD_MS / 1000);
    expect(await keys('/rotate', { now: true })).toMatchObject({ status: 409 });
    ahead += 11_000;
    expect(await keys('/rotate', {})).toMatchObject({ status: 409 });
    expect(await keys('/rotate', { now: true, alg: 'ES256' })).toMatchObject({ status: 200 });
  });

  test.each([
    ['an algorithm that no key has', { alg: 'RS256' }, 404],
    ['an algorithm that is none', { alg: 'HS256' }, 400],
    ['a word that is none', { force: true }, 400],
    ['a text for a yes', { now: 'true' }, 400],
  ])('with %s is refused', async (_what, body, status) =>
    expect(await keys('/rotate', body)).toMatchObject({ status }),
  );

  test('needs the scope, and for all tenants’ keys the issuer’s own tenant', async () => {
    const other = await adminToken(gate, gate.uris.authAdmin, 'admin:clients');
    expect(await keys('/rotate', {}, other)).toMatchObject({ status: 403 });
    expect(await keys('', undefined, other)).toMatchObject({ status: 403 });
  });

  test('leaves the id tokens of before good for signing out', async () => {
    const granted = await grantAs(gate, gate.demo.users[0]!, { scope: 'openid' });
    const reply = await exchange(gate, granted.code ?? '', granted.verifier);
    const hint = String(reply.body.id_token);
    const logout = () => fetch(`${gate.issuer}/logout?${new URLSearchParams({ id_token_hint: hint })}`);
    expect((await logout()).status).toBe(200);
    ahead += 11_000;
    expect(await keys('/rotate', { now: true })).toMatchObject({ status: 200 });
    expect((await published()).keys[0]?.kid).not.toBe(decodeProtectedHeader(hint).kid);
    expect((await logout()).status).toBe(200);
    const forged = hint.slice(0, -8) + 'AAAAAAAA';
    const another = `${gate.issuer}/logout?${new URLSearchParams({ id_token_hint: forged })}`;
    expect((await fetch(another)).status).toBe(400);
  });

  test('that would keep more than eight old keys is 409 and says when the oldest goes', async () => {
    let reply: Awaited<ReturnType<typeof keys>>;
    do {
      ahead += 11_000;
      reply = await keys('/rotate', { now: true });
    } while (reply.status === 200);
    expect([reply.status, reply.body]).toEqual([409, expect.objectContaining({ error: 'too_soon' })]);
    expect(reply.text).toContain('There are 8 keys of that algorithm already');
    expect(Number(reply.headers.get('retry-after'))).toBeGreaterThan(60 * 60);
    expect((await published()).keys).toHaveLength(2 + 8);
  });

  test('by another replica is taken over within two seconds', async () => {
    const before = await published();
    // what another replica leaves behind
    await sql`delete from auth.signing_keys where state = 'retiring'`.execute(gate.database.everyTenant('auth'));
    const deadline = Date.now() + 2_000;
    for (;;) {
      if ((await published()).keys.length === 2) break;
      if (Date.now() > deadline) throw new Error('not taken over');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(before.keys.length).toBeGreaterThan(2);
  });
});

test('a restart has the same keys, and no private half lies in the clear', async () => {
  const before = await published();
  await gate.close();
  await begin();
  expect(await published()).toEqual(before);
  const { rows } = await sql<{ all: string }>`select signing_keys::text as all from auth.signing_keys`.execute(
    gate.database.everyTenant('auth'),
  );
  expect(rows.map(({ all }) => all).join()).not.toMatch(/"d"|"p"|"dp"/);
});

describe('with an algorithm of its own for a resource', () => {
  beforeAll(async () => {
    await gate.close();
    await begin({ TOKEN_ALGORITHMS: 'mcp=RS256 authAdmin=EdDSA' });
  });
  const algOf = (jwt: string) => decodeProtectedHeader(jwt).alg;
  const verified = (jwt: string) =>
    verifyAccessToken(jwt, {
      issuer: gate.issuer,
      audience: MCP,
      keys: remoteKeys({ jwksUri: `${gate.issuer}/jwks`, now: Date.now }),
      now: Date.now,
    });

  test('its key is published before it signs, and ES256 signs until then', async () => {
    expect((await published()).keys.map(({ alg }) => alg).sort()).toEqual(['ES256', 'ES256', 'EdDSA', 'RS256']);
    expect(algOf(await issued())).toBe('ES256');
  });

  test('tokens for it are signed so, those for others are not, and id tokens never are', async () => {
    await publishedLongAgo();
    const deadline = Date.now() + 5_000;
    while (algOf(await issued()) === 'ES256' && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const jwt = await issued();
    expect(algOf(jwt)).toBe('RS256');
    expect(await verified(jwt)).toMatchObject({ clientId: 'support-agent' });
    token = await adminToken(gate, gate.uris.authAdmin, 'admin:keys');
    expect(algOf(token)).toBe('EdDSA');
    expect(await keys()).toMatchObject({ status: 200 });
    expect(algOf(await adminToken(gate, gate.uris.analytics, 'security:read'))).toBe('ES256');
    const granted = await grantAs(gate, gate.demo.users[0]!, { scope: 'openid' });
    const { body } = await exchange(gate, granted.code ?? '', granted.verifier);
    expect(algOf(String(body.id_token))).toBe('ES256');
    const metadata = await (await fetch(`${gate.issuer}/.well-known/openid-configuration`)).json();
    expect(metadata).toMatchObject({ id_token_signing_alg_values_supported: ['ES256'] });
    expect(decodeJwt(jwt).aud).toBe(MCP);
  });

  test('each algorithm can be rotated alone', async () => {
    await publishedLongAgo();
    const before = (await published()).keys;
    expect(await keys('/rotate', { alg: 'RS256' })).toMatchObject({ status: 200 });
    const first = (all: typeof before, alg: string) => all.find((key) => key.alg === alg)?.kid;
    const after = (await published()).keys;
    expect(first(after, 'RS256')).not.toBe(first(before, 'RS256'));
    expect(first(after, 'ES256')).toBe(first(before, 'ES256'));
    expect(await verified(await issued())).toMatchObject({ clientId: 'support-agent' });
  });
});
