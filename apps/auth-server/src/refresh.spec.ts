import { principalId } from '@portcullis/contract/ids';
import { accessTokenClaims } from '@portcullis/scopes/caller';
import { decodeJwt } from 'jose';
import { sql } from 'kysely';
import { ageRefreshToken } from './refresh-tokens.fixture.js';
import { exchange, grantAs } from './flow.fixture.js';
import {
  adminToken,
  basic,
  MCP,
  postToken,
  startGate,
  world,
  type Gate,
  type TokenReply,
  type World,
} from './gate.fixture.js';
import { REPLAY_WINDOW_MS } from './refresh-rotation.js';
import { asWebClient, putWebClient } from './web-client.fixture.js';

let of: World;
let gate: Gate;
beforeAll(async () => {
  of = await world();
  gate = await startGate(of);
  for (const tenant of ['default', 'acme']) await putWebClient(of, tenant);
}, 60_000);
afterAll(async () => {
  await gate.close();
  await of.database.close();
});

const sam = () => of.demo.users[0]!;
const db = () => of.database.everyTenant<object>('auth');

/** A person signs in and gets the first tokens. */
async function signedIn(scope = 'customer:read customer:delete', at = gate): Promise<TokenReply> {
  const { code, verifier } = await grantAs(at, sam(), { scope });
  const reply = await exchange(at, code ?? '', verifier);
  if (reply.status !== 200) throw new Error(reply.text);
  return reply;
}
const tokenOf = (reply: TokenReply): string => String(reply.body.refresh_token);
const claimsOf = (reply: TokenReply) => accessTokenClaims.parse(decodeJwt(String(reply.body.access_token)));
const refresh = (token: string, more: Record<string, string> = {}, at: Pick<Gate, 'issuer'> = gate, headers = {}) =>
  postToken(at, { grant_type: 'refresh_token', refresh_token: token, client_id: 'desktop', ...more }, headers);
const said = (action: string) => gate.events.seen.filter(({ data }) => 'action' in data && data.action === action);
const DEAD = { status: 400, body: { error: 'invalid_grant' } };

describe('a refresh token', () => {
  test('comes with the grant, without asking for offline_access, and gives a fresh token of the same grant', async () => {
    const first = await signedIn();
    const second = await refresh(tokenOf(first));
    expect(second).toMatchObject({
      status: 200,
      body: { token_type: 'Bearer', expires_in: 900, scope: 'customer:read customer:delete' },
    });
    expect(tokenOf(second)).toMatch(/^[\w-]{43}$/);
    expect(tokenOf(second)).not.toBe(tokenOf(first));
    const [before, after] = [claimsOf(first), claimsOf(second)];
    const { jti: _a, iat: _b, exp: _c, ...same } = before;
    expect(after).toMatchObject(same);
    expect(same).toMatchObject({ acr: 'urn:portcullis:acr:password', auth_time: expect.any(Number), aud: MCP });
    expect([same.task, same.grant_id]).toEqual([expect.stringMatching(/^tsk_/), expect.any(String)]);
    expect(after.jti).not.toBe(before.jti);
    expect(gate.events.seen.at(-1)).toMatchObject({
      subject: principalId('default', 'desktop', after.sub),
      data: { action: 'token.issued', grantType: 'refresh_token', tokenId: after.jti, resource: MCP },
    });
  });

  test('is kept by its hash only, and its successor only sealed', async () => {
    const first = await signedIn();
    const second = await refresh(tokenOf(first));
    const { rows } = await sql`select * from auth.refresh_tokens`.execute(db());
    const stored = JSON.stringify(rows) + JSON.stringify(gate.events.seen) + gate.lines.join('\n');
    for (const secret of [tokenOf(first), tokenOf(second)]) expect(stored).not.toContain(secret);
  });

  test('is not extended by its use: all of a family end with the grant', async () => {
    const second = await refresh(tokenOf(await signedIn()));
    const third = await refresh(tokenOf(second));
    const grantId = claimsOf(third).grant_id;
    const { rows } = await sql<{ ends: number }>`
      select distinct extract(epoch from expires_at)::float8 as ends from auth.refresh_tokens where grant_id = ${grantId}
      union select extract(epoch from expires_at)::float8 from auth.artefacts where kind = 'Grant' and grant_id = ${grantId}`.execute(
      db(),
    );
    const ends = rows.map((row) => row.ends);
    expect(Math.max(...ends) - Math.min(...ends)).toBeLessThan(2);
    expect(Math.abs(Math.max(...ends) - Date.now() / 1000 - 8 * 3600)).toBeLessThan(60);
  });

  test('gives an ID token again where the person signed in with openid: same person, same time, same way', async () => {
    const { code, verifier } = await grantAs(gate, sam(), { scope: 'openid customer:read', nonce: 'n-1' });
    const first = await exchange(gate, code ?? '', verifier, { resource: MCP });
    const second = await refresh(tokenOf(first));
    const [before, after] = [first, second].map(({ body }) => decodeJwt(String(body.id_token)));
    const { iat: _i, exp: _e, ...same } = before!;
    expect(after).toMatchObject(same);
    expect(same).toMatchObject({ iss: gate.issuer, aud: 'desktop', nonce: 'n-1', sub: claimsOf(second).sub });
    expect((await refresh(tokenOf(second), { scope: 'customer:read' })).body).not.toHaveProperty('id_token');
  });

  test('of a sign-in only gives a token for /userinfo', async () => {
    const { code, verifier } = await grantAs(gate, sam(), { scope: 'openid profile' });
    const second = await refresh(tokenOf(await exchange(gate, code ?? '', verifier)));
    const headers = { authorization: `Bearer ${String(second.body.access_token)}` };
    const known = await fetch(`${gate.issuer}/userinfo`, { headers });
    expect(await known.json()).toMatchObject({ preferred_username: 'sam' });
  });

  test('can be used for less, never for more (RFC 6749 §6)', async () => {
    const first = await signedIn();
    const less = await refresh(tokenOf(first), { scope: 'customer:read' });
    expect(less).toMatchObject({ status: 200, body: { scope: 'customer:read' } });
    const more = await refresh(tokenOf(less), { scope: 'customer:read ticket:read' });
    expect(more).toMatchObject({ status: 400, body: { error: 'invalid_scope' } });
    const again = await refresh(tokenOf(less));
    expect(again).toMatchObject({ status: 200, body: { scope: 'customer:read customer:delete' } });
  });

  test('is not spent by a request that is refused, however late the right one comes', async () => {
    const first = await signedIn();
    const wrong: Record<string, string>[] = [
      { scope: 'data:export' },
      { scope: '"' },
      { resource: 'https://other.example/' },
      { resource: 'x' },
    ];
    for (const more of wrong) expect((await refresh(tokenOf(first), more)).status).toBe(400);
    const { rows } = await sql<{ used: number }>`
      select count(used_at)::int as used from auth.refresh_tokens where grant_id = ${claimsOf(first).grant_id}`.execute(
      db(),
    );
    expect(rows).toEqual([{ used: 0 }]);
    expect(await refresh(tokenOf(first))).toMatchObject({ status: 200 });
  });

  test.each([
    ['of nobody', { refresh_token: 'x' }, 'invalid_grant'],
    ['that is empty', { refresh_token: '' }, 'invalid_request'],
    ['that is long', { refresh_token: 'x'.repeat(10_000) }, 'invalid_grant'],
    ['with a NUL in it', { refresh_token: 'a\0b' }, 'invalid_grant'],
  ])('%s is refused', async (_says, more, error) => {
    expect(await refresh('', more)).toMatchObject({ status: 400, body: { error } });
  });

  test('is not for a machine, nor for a client that is not registered for it', async () => {
    const machine = basic('support-agent', of.demo.clients['support-agent'].client_secret ?? '');
    const form = { grant_type: 'refresh_token', refresh_token: tokenOf(await signedIn()) };
    expect(await postToken(gate, form, machine)).toMatchObject({ status: 400, body: { error: 'unauthorized_client' } });
  });
});

describe('a used refresh token', () => {
  test('that comes back at once gets the same successor and a fresh access token', async () => {
    const first = await signedIn();
    const [one, two] = [await refresh(tokenOf(first)), await refresh(tokenOf(first))];
    expect([one.status, two.status]).toEqual([200, 200]);
    expect(tokenOf(two)).toBe(tokenOf(one));
    expect(claimsOf(two).jti).not.toBe(claimsOf(one).jti);
    expect(gate.events.seen.slice(-2).map(({ data }) => 'reason' in data && data.reason)).toEqual([
      'the client and what it may have were checked',
      'its refresh token came back within its window',
    ]);
    expect(await refresh(tokenOf(one))).toMatchObject({ status: 200 });
  });

  test('that comes back later ends its family, and nothing else of that person with that client', async () => {
    const [family, other] = [await signedIn(), await signedIn()];
    const second = await refresh(tokenOf(family));
    await ageRefreshToken(of.database, tokenOf(family), REPLAY_WINDOW_MS);
    expect(await refresh(tokenOf(family))).toMatchObject(DEAD);
    expect(await refresh(tokenOf(second))).toMatchObject(DEAD);
    expect(await refresh(tokenOf(other))).toMatchObject({ status: 200 });
    const { sub, grant_id } = claimsOf(second);
    expect(said('grant.compromised').at(-1)).toMatchObject({
      subject: principalId('default', 'desktop', sub),
      data: {
        clientId: 'desktop',
        sub,
        grantId: grant_id,
        reason: 'its refresh token came back after it had been used',
      },
    });
    expect(await revokedGrants()).toContainEqual({ id: grant_id, by: 'rule:refresh-replay' });
    expect(gate.events.seen.at(-1)).toMatchObject({ data: { action: 'token.issued' } });
  });

  test('from another client ends its family, used or not, at once', async () => {
    for (const used of [false, true]) {
      const first = await signedIn();
      if (used) await refresh(tokenOf(first));
      const before = said('grant.compromised').length;
      const thief = await refresh(tokenOf(first), { client_id: '' }, gate, asWebClient('default'));
      expect(thief).toMatchObject(DEAD);
      expect(thief.text).not.toMatch(/another|client/);
      expect(await refresh(tokenOf(first))).toMatchObject(DEAD);
      expect(said('grant.compromised')).toHaveLength(before + 1);
      expect(said('grant.compromised').at(-1)).toMatchObject({ data: { clientId: 'desktop' } });
    }
  });

  test("from another tenant's client is unknown, and nothing happens to it", async () => {
    const first = await signedIn();
    const before = said('grant.compromised').length;
    expect(await refresh(tokenOf(first), { client_id: '' }, gate, asWebClient('acme'))).toMatchObject(DEAD);
    expect(said('grant.compromised')).toHaveLength(before);
    expect(await refresh(tokenOf(first))).toMatchObject({ status: 200 });
  });

  test('is inactive to its own client, which may end the grant with it all the same (RFC 7662 §2.2, RFC 7009 §2.1)', async () => {
    const first = await signedIn();
    const second = await refresh(tokenOf(first));
    const shown = async (path: string, token: string) => {
      const body = new URLSearchParams({ client_id: 'desktop', token, token_type_hint: 'refresh_token' });
      const answer = await fetch(`${gate.issuer}${path}`, { method: 'POST', body });
      return path === '/introspect' ? ((await answer.json()) as object) : answer.status;
    };
    expect(await shown('/introspect', tokenOf(second))).toMatchObject({ active: true });
    expect(await shown('/introspect', tokenOf(first))).toEqual({ active: false });
    expect(await shown('/revoke', tokenOf(first))).toBe(200);
    expect(await shown('/introspect', tokenOf(second))).toEqual({ active: false });
    expect(await refresh(tokenOf(second))).toMatchObject(DEAD);
  });

  test('brings a straggler the newest of its chain', async () => {
    const first = await signedIn();
    const second = await refresh(tokenOf(first));
    const third = await refresh(tokenOf(second));
    const straggler = await refresh(tokenOf(first));
    expect([straggler.status, tokenOf(straggler)]).toEqual([200, tokenOf(third)]);
    await ageRefreshToken(of.database, tokenOf(first), 2 * REPLAY_WINDOW_MS);
    await ageRefreshToken(of.database, tokenOf(second), 2 * REPLAY_WINDOW_MS);
    expect(await refresh(tokenOf(straggler))).toMatchObject({ status: 200 });
  });
});

describe('what its person or client has lost meanwhile', () => {
  const admin = async (path: string, init: RequestInit) => {
    const token = await adminToken(gate, gate.uris.authAdmin, 'admin:users admin:clients');
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    return fetch(`${gate.issuer}/admin/v1${path}`, { ...init, headers: { ...headers, ...init.headers } });
  };

  test('a role: the scope shrinks to what is left', async () => {
    const first = await signedIn('customer:read customer:delete');
    await sql`update auth.users set roles = '["agent-user"]' where username = 'sam'`.execute(db());
    const second = await refresh(tokenOf(first));
    await sql`update auth.users set roles = '["supervisor"]' where username = 'sam'`.execute(db());
    expect(second).toMatchObject({ status: 200, body: { scope: 'customer:read' } });
    expect(claimsOf(second).ceiling).not.toContain('customer:delete');
    const third = await refresh(tokenOf(second));
    expect(third).toMatchObject({ status: 200, body: { scope: 'customer:read customer:delete' } });
  });

  test('all roles: nothing is left to give, and the token is not spent', async () => {
    const first = await signedIn('customer:delete');
    await sql`update auth.users set roles = '["analyst"]' where username = 'sam'`.execute(db());
    const refused = await refresh(tokenOf(first));
    await sql`update auth.users set roles = '["supervisor"]' where username = 'sam'`.execute(db());
    expect(refused).toMatchObject({ status: 400, body: { error: 'invalid_scope' } });
    expect(await refresh(tokenOf(first))).toMatchObject({ status: 200 });
  });

  test('the account: a person who is disabled or gone gets nothing', async () => {
    const first = await signedIn();
    await sql`update auth.users set disabled = true where username = 'sam'`.execute(db());
    const refused = await refresh(tokenOf(first));
    await sql`update auth.users set disabled = false where username = 'sam'`.execute(db());
    expect(refused).toMatchObject(DEAD);
  });

  test('the client itself: its families go with it', async () => {
    const { body } = {
      body: (await admin('/clients', {
        method: 'POST',
        body: JSON.stringify({
          name: 'Gone soon',
          auth_method: 'none',
          redirect_uris: ['http://127.0.0.1/callback'],
          scopes: ['customer:read'],
        }),
      }).then((answer) => answer.json())) as { client_id: string },
    };
    const { client_id } = body;
    const { code, verifier } = await grantAs(gate, sam(), { client_id });
    const first = await exchange(gate, code ?? '', verifier, { client_id });
    expect(first.body.refresh_token).toBeDefined();
    expect((await admin(`/clients/${client_id}`, { method: 'DELETE' })).status).toBe(204);
    expect((await refresh(tokenOf(first), { client_id })).status).toBe(401);
    const { rows } = await sql`select 1 from auth.refresh_tokens where client_id = ${client_id}`.execute(db());
    expect(rows).toEqual([]);
  });

  test('the session in the browser: a logout ends the grants of it, access tokens too', async () => {
    const granted = await grantAs(gate, sam(), { scope: 'customer:read' });
    const first = await exchange(gate, granted.code ?? '', granted.verifier);
    const page = await granted.browser.open(`${gate.issuer}/logout`);
    const action = /action="([^"]+)"/.exec(page.html)![1]!;
    const xsrf = /name="xsrf" value="([^"]+)"/.exec(page.html)![1]!;
    await granted.browser.submit({ action, hidden: { xsrf } }, { logout: 'yes' });
    expect(await refresh(tokenOf(first))).toMatchObject(DEAD);
    expect(await revokedGrants()).toContainEqual({ id: claimsOf(first).grant_id, by: claimsOf(first).sub });
  });
});

describe('an answer that is lost', () => {
  test('after the rotation was committed costs nobody the session: the retry gets the successor', async () => {
    const first = await signedIn();
    gate.events.state.full = true;
    const lost = await refresh(tokenOf(first));
    gate.events.state.full = false;
    expect(lost).toMatchObject({ status: 503, body: { error: 'temporarily_unavailable' } });
    const { rows } = await sql<{ tokens: number; used: number }>`
      select count(*)::int as tokens, count(used_at)::int as used from auth.refresh_tokens
      where grant_id = ${claimsOf(first).grant_id}`.execute(db());
    expect(rows).toEqual([{ tokens: 2, used: 1 }]);
    const retried = await refresh(tokenOf(first));
    expect(retried).toMatchObject({ status: 200 });
    expect(await refresh(tokenOf(retried))).toMatchObject({ status: 200 });
  });
});

/** Rows of the revocations, by grant. */
async function revokedGrants() {
  const { rows } = await sql<{ id: string; by: string }>`
    select id, by from auth.revocations where tenant = 'default' and what = 'grant'`.execute(db());
  return rows;
}
