import { principalId } from '@portcullis/contract/ids';
import type { BehaviourState } from '@portcullis/contract/standing';
import { proofKey } from '@portcullis/guard/proof.fixture';
import { decodeJwt } from 'jose';
import { askAdmin, machine } from './admin.fixture.js';
import { exchange, grantAs } from './flow.fixture.js';
import { adminToken, basic, MCP, postToken, secretOf, startGate, world, type Gate } from './gate.fixture.js';
import { proven } from './proofs.fixture.js';
import { show } from './shown-token.fixture.js';

let gate: Gate;
let platform: string;
beforeAll(async () => {
  gate = await startGate(await world());
  platform = await adminToken(gate, gate.uris.authAdmin, 'admin:clients admin:users platform:admin');
}, 60_000);
afterAll(async () => {
  await gate.close();
  await gate.database.close();
});

type Headers = Record<string, string>;
const support = () => secretOf(gate.demo, 'support-agent');
const DESKTOP = { client_id: 'desktop' };
const INACTIVE = { active: false };
const introspect = async (token: unknown, headers: Headers = support(), more: Record<string, string> = {}) => {
  const reply = await show(gate, '/introspect', { token: String(token), ...more }, headers);
  expect([reply.status, reply.headers.get('cache-control')]).toEqual([200, 'no-store']);
  return reply.body;
};
const machineToken = async (headers: Headers = support(), form = {}): Promise<string> =>
  String((await postToken(gate, { grant_type: 'client_credentials', ...form }, headers)).body.access_token);
const person = () => gate.demo.users[0]!;
const personTokens = async (who = person()) => {
  const { code, verifier } = await grantAs(gate, who, { scope: 'customer:read' });
  const { body } = await exchange(gate, code ?? '', verifier);
  return { access: String(body.access_token), refresh: String(body.refresh_token) };
};
/** Registers a client. @returns its credentials */
async function registered(more: object = {}): Promise<{ id: string; headers: Headers }> {
  const { body } = await askAdmin(gate, platform, 'POST', '/clients', machine(more));
  const { client_id: id, client_secret: secret } = body as Record<string, string>;
  return { id: id ?? '', headers: basic(id ?? '', secret ?? '') };
}

describe('a client learns of its own tokens (RFC 7662 §2.2)', () => {
  test('the claims of its access token, under the names they have there', async () => {
    const token = await machineToken(support(), { scope: 'customer:read' });
    expect(await introspect(token)).toEqual({ active: true, token_type: 'Bearer', ...decodeJwt(token) });
    expect(gate.events.seen.at(-1)).toMatchObject({
      subject: principalId('default', 'support-agent'),
      data: { action: 'token.introspected', clientId: 'support-agent', tokenId: decodeJwt(token).jti, resource: MCP },
    });
  });

  test('of a bound one the key, too (RFC 9449 §6.2)', async () => {
    const key = await proofKey();
    const headers = { ...support(), ...(await proven(gate, key)) };
    expect(await introspect(await machineToken(headers))).toMatchObject({
      active: true,
      token_type: 'DPoP',
      cnf: { jkt: key.jkt },
    });
  });

  test("of a person's: whose it is, and the grant; of the refresh token no type and no id", async () => {
    const { access, refresh } = await personTokens();
    const { grant_id, sub, iss, tenant } = decodeJwt(access);
    expect(await introspect(access, {}, DESKTOP)).toEqual({ active: true, token_type: 'Bearer', ...decodeJwt(access) });
    const known = await introspect(refresh, {}, { ...DESKTOP, token_type_hint: 'refresh_token' });
    expect(known).toEqual({
      ...{ active: true, client_id: 'desktop', grant_id, sub, iss, tenant, scope: 'customer:read' },
      iat: expect.any(Number),
      exp: expect.any(Number),
    });
    expect(Number(known.exp) - Number(known.iat)).toBeLessThanOrEqual(8 * 3600);
    // a wrong hint widens the search (§2.1)
    expect(await introspect(refresh, {}, { ...DESKTOP, token_type_hint: 'access_token' })).toEqual(known);
  });

  test('a refresh token that was used is inactive, its successor is not', async () => {
    const { refresh } = await personTokens();
    const next = await postToken(gate, { grant_type: 'refresh_token', refresh_token: refresh, ...DESKTOP });
    expect(await introspect(refresh, {}, DESKTOP)).toEqual(INACTIVE);
    expect(await introspect(next.body.refresh_token, {}, DESKTOP)).toMatchObject({ active: true });
  });
});

describe('all else is inactive, and nothing more is said', () => {
  test("another client's tokens", async () => {
    const { access, refresh } = await personTokens();
    const other = secretOf(gate.demo, 'reporting-agent');
    for (const token of [await machineToken(), access, refresh])
      expect(await introspect(token, other)).toEqual(INACTIVE);
    expect(await introspect(await machineToken(), {}, DESKTOP)).toEqual(INACTIVE);
    expect(gate.events.seen.at(-1)?.data).not.toHaveProperty('tokenId');
    // a public client has not proved that it is the one
    expect(gate.events.seen.at(-1)?.subject).toBeUndefined();
  });

  test('tokens of an agent that is contained, and only as long as it is', async () => {
    const { id, headers } = await registered();
    const token = await machineToken(headers);
    const agent = principalId('default', id);
    const says = async (state: BehaviourState) => {
      await gate.say(agent, state);
      return (await introspect(token, headers)).active;
    };
    expect([await says('Normal'), await says('Isolated'), await says('Normal')]).toEqual([true, false, true]);
  });

  test('tokens of a person who was removed', async () => {
    const made = await askAdmin(gate, platform, 'POST', '/users', { username: 'ann', roles: ['agent-user'] });
    const { user_id, password } = made.body as Record<string, string>;
    const { access, refresh } = await personTokens({ ...person(), username: 'ann', password: password ?? '' });
    expect(await introspect(access, {}, DESKTOP)).toMatchObject({ active: true });
    expect((await askAdmin(gate, platform, 'DELETE', `/users/${user_id}`)).status).toBe(204);
    for (const token of [access, refresh]) expect(await introspect(token, {}, DESKTOP)).toEqual(INACTIVE);
  });

  test('tokens of a client from before it was disabled, also when it is enabled again', async () => {
    const { id, headers } = await registered();
    const token = await machineToken(headers);
    expect(await introspect(token, headers)).toMatchObject({ active: true });
    for (const disabled of [true, false]) await askAdmin(gate, platform, 'PATCH', `/clients/${id}`, { disabled });
    expect(await introspect(token, headers)).toEqual(INACTIVE);
  });
});

describe('a resource server learns of the tokens for its API (RFC 7662 §2.1)', () => {
  const ofMcp = { scopes: ['ticket:read'], introspects: 'mcp' };

  test('whoever they were issued to, and of no others', async () => {
    const { headers } = await registered(ofMcp);
    const { access, refresh } = await personTokens();
    for (const token of [access, await machineToken()]) {
      expect(await introspect(token, headers)).toEqual({ active: true, token_type: 'Bearer', ...decodeJwt(token) });
    }
    expect(await introspect(refresh, headers)).toEqual(INACTIVE);
    expect(await introspect(platform, headers)).toEqual(INACTIVE);
    expect(await introspect('unknown', headers)).toEqual(INACTIVE);
  });

  test('until they are revoked', async () => {
    const { headers } = await registered(ofMcp);
    const token = await machineToken();
    expect(await introspect(token, headers)).toMatchObject({ active: true });
    await show(gate, '/revoke', { token }, support());
    expect(await introspect(token, headers)).toEqual(INACTIVE);
  });

  test("of another tenant's as little as of an unknown one", async () => {
    const theirs = await registered({ ...ofMcp, tenant: 'acme' });
    const token = await machineToken();
    expect(await introspect(token, theirs.headers)).toEqual(await introspect('unknown', theirs.headers));
    const own = await registered({ tenant: 'acme' });
    expect(await introspect(await machineToken(own.headers), theirs.headers)).toMatchObject({
      active: true,
      tenant: 'acme',
    });
  });

  test.each([
    [
      'a public client',
      { auth_method: 'none', redirect_uris: ['http://127.0.0.1/cb'], grant_types: ['authorization_code'] },
    ],
    ['an API that is none', { introspects: 'everything' }],
  ])('%s cannot be one', async (_says, more) => {
    const reply = await askAdmin(gate, platform, 'POST', '/clients', machine({ ...ofMcp, ...more }));
    expect([reply.status, reply.text]).toEqual([400, expect.stringContaining('introspects')]);
  });
});
