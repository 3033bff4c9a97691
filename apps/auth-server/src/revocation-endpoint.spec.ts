import { principalId } from '@portcullis/contract/ids';
import { decodeJwt } from 'jose';
import { askAdmin } from './admin.fixture.js';
import { exchange, grantAs } from './flow.fixture.js';
import {
  adminToken,
  assertion,
  ASSERTION_TYPE,
  basic,
  postToken,
  secretOf,
  startGate,
  world,
  type Gate,
} from './gate.fixture.js';
import { show, SHOWN } from './shown-token.fixture.js';

let gate: Gate;
beforeAll(async () => {
  gate = await startGate(await world());
}, 60_000);
afterAll(async () => {
  await gate.close();
  await gate.database.close();
});

const support = () => secretOf(gate.demo, 'support-agent');
const reporting = () => secretOf(gate.demo, 'reporting-agent');
const machineToken = async (headers = support()): Promise<string> =>
  String((await postToken(gate, { grant_type: 'client_credentials' }, headers)).body.access_token);
const personTokens = async (): Promise<{ access: string; refresh: string }> => {
  const { code, verifier } = await grantAs(gate, gate.demo.users[0]!, { scope: 'customer:read' });
  const { body } = await exchange(gate, code ?? '', verifier);
  return { access: String(body.access_token), refresh: String(body.refresh_token) };
};
const refreshed = (refresh_token: string) =>
  postToken(gate, { grant_type: 'refresh_token', refresh_token, client_id: 'desktop' });
const revoke = (token: string, headers: Record<string, string> = support(), more: Record<string, string> = {}) =>
  show(gate, '/revoke', { token, ...more }, headers);
const isActive = async (token: string, headers: Record<string, string> = support(), more = {}) =>
  (await show(gate, '/introspect', { token, ...more }, headers)).body.active;
const DESKTOP = { client_id: 'desktop' };
const lastEvent = () => gate.events.seen.at(-1);

describe('an access token (RFC 7009 §2.1)', () => {
  test('that its client revokes is good no more, and no other token is touched', async () => {
    const [gone, kept] = [await machineToken(), await machineToken()];
    const reply = await revoke(gone);
    expect([reply.status, reply.text]).toEqual([200, '']);
    expect(lastEvent()).toMatchObject({
      type: 'portcullis.auth.v1',
      subject: principalId('default', 'support-agent'),
      data: { action: 'token.revoked', clientId: 'support-agent', tokenId: decodeJwt(gone).jti, address: '127.0.0.1' },
    });
    expect([await isActive(gone), await isActive(kept)]).toEqual([false, true]);
  });

  test('may be revoked again, with any hint', async () => {
    const token = await machineToken();
    for (const hint of ['access_token', 'refresh_token', 'something_else']) {
      expect(await revoke(token, support(), { token_type_hint: hint })).toMatchObject({ status: 200 });
    }
    expect(await isActive(token)).toBe(false);
  });

  test('is refused by our own API with the next request', async () => {
    const token = await adminToken(gate, gate.uris.authAdmin, 'admin:clients');
    expect((await askAdmin(gate, token, 'GET', '/clients')).status).toBe(200);
    const client_assertion = await assertion(gate.adminKey, 'local-admin', gate.issuer);
    expect(await revoke(token, {}, { client_assertion_type: ASSERTION_TYPE, client_assertion })).toMatchObject({
      status: 200,
    });
    const refused = await askAdmin(gate, token, 'GET', '/clients');
    expect([refused.status, refused.body.error]).toEqual([401, 'token_invalid']);
    expect(refused.headers.get('www-authenticate')).toContain('error="invalid_token"');
  });

  test('of a person goes alone: the refresh token still gives another one', async () => {
    const { access, refresh } = await personTokens();
    expect(await revoke(access, {}, DESKTOP)).toMatchObject({ status: 200 });
    expect(await isActive(access, {}, DESKTOP)).toBe(false);
    const next = await refreshed(refresh);
    expect(next.status).toBe(200);
    expect(await isActive(String(next.body.access_token), {}, DESKTOP)).toBe(true);
  });

  test('that is opaque, for /userinfo, is good no more there', async () => {
    const { code, verifier } = await grantAs(gate, gate.demo.users[0]!, { scope: 'openid profile' });
    const token = String((await exchange(gate, code ?? '', verifier)).body.access_token);
    const userinfo = async () =>
      (await fetch(`${gate.issuer}/userinfo`, { headers: { authorization: `Bearer ${token}` } })).status;
    expect([await userinfo(), await isActive(token, {}, DESKTOP)]).toEqual([200, true]);
    expect(await revoke(token, {}, DESKTOP)).toMatchObject({ status: 200 });
    expect([await userinfo(), await isActive(token, {}, DESKTOP)]).toEqual([401, false]);
    expect(JSON.stringify(gate.events.seen)).not.toContain(token);
  });
});

describe('a refresh token (RFC 7009 §2.1)', () => {
  test('takes its grant along: access tokens, those after it, and nothing of another grant of the same person', async () => {
    const [gone, kept] = [await personTokens(), await personTokens()];
    const next = await refreshed(gone.refresh);
    const { access_token: second, refresh_token: newest } = next.body as Record<string, string>;
    expect(await revoke(newest ?? '', {}, DESKTOP)).toMatchObject({ status: 200 });
    expect(lastEvent()).toMatchObject({ data: { action: 'grant.revoked', grantId: decodeJwt(gone.access).grant_id } });
    for (const token of [gone.access, second ?? '', newest ?? ''])
      expect(await isActive(token, {}, DESKTOP)).toBe(false);
    expect(await refreshed(newest ?? '')).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    for (const token of [kept.access, kept.refresh]) expect(await isActive(token, {}, DESKTOP)).toBe(true);
    expect((await refreshed(kept.refresh)).status).toBe(200);
  });

  test('that was used already does so, too', async () => {
    const { refresh } = await personTokens();
    const { refresh_token: newest } = (await refreshed(refresh)).body as Record<string, string>;
    expect(await revoke(refresh, {}, DESKTOP)).toMatchObject({ status: 200 });
    expect(await refreshed(newest ?? '')).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });
});

describe('nothing happens, and the answer is 200 (RFC 7009 §2.2)', () => {
  test("to another client's access or refresh token", async () => {
    const mine = await machineToken();
    expect(await revoke(mine, reporting())).toMatchObject({ status: 200, text: '' });
    const refusal = {
      action: 'revocation.refused',
      clientId: 'reporting-agent',
      reason: expect.stringContaining('another'),
    };
    expect(lastEvent()).toMatchObject({ subject: principalId('default', 'reporting-agent'), data: refusal });
    expect(lastEvent()?.data).not.toHaveProperty('tokenId');
    expect(await isActive(mine)).toBe(true);
    const { access, refresh } = await personTokens();
    for (const token of [access, refresh])
      expect(await revoke(token, reporting())).toMatchObject({ status: 200, text: '' });
    for (const token of [access, refresh]) expect(await isActive(token, {}, DESKTOP)).toBe(true);
    expect((await refreshed(refresh)).status).toBe(200);
  });

  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  test.each<[string, () => Promise<string>]>([
    ['an unknown token', async () => 'unknown'],
    [
      'a token that only looks like one',
      async () => `${part({ alg: 'ES256', typ: 'at+jwt' })}.${part({ jti: 'x' })}.AAAA`,
    ],
    [
      'a token without a signature',
      async () => {
        const [, claims] = (await machineToken()).split('.');
        return `${part({ alg: 'none', typ: 'at+jwt' })}.${claims}.`;
      },
    ],
    [
      'an ID token',
      async () => {
        const { code, verifier } = await grantAs(gate, gate.demo.users[0]!, { scope: 'openid' });
        return String((await exchange(gate, code ?? '', verifier)).body.id_token);
      },
    ],
    ['text that SQL cannot hold', async () => 'a\0b'],
    ['8 KiB of text', async () => 'x'.repeat(8192)],
  ])('to %s', async (_says, token) => {
    const value = await token();
    expect(await revoke(value)).toMatchObject({ status: 200, text: '' });
    expect(lastEvent()).toMatchObject({ data: { action: 'revocation.refused' } });
    expect(await isActive(value)).toBe(false);
  });
});

describe.each(SHOWN)('at %s', (path) => {
  const refused = `${path === '/revoke' ? 'revocation' : 'introspection'}.refused`;
  test.each<[string, [string, string][], () => Record<string, string>, number, string]>([
    ['a wrong secret', [['token', 'x']], () => basic('support-agent', 'pcs_wrong'), 401, 'invalid_client'],
    ['an unknown client', [['token', 'x']], () => basic('nobody', 'x'), 401, 'invalid_client'],
    [
      'a client with a secret that only names itself',
      [
        ['token', 'x'],
        ['client_id', 'support-agent'],
      ],
      () => ({}),
      401,
      'invalid_client',
    ],
    ['nobody', [['token', 'x']], () => ({}), 400, 'invalid_request'],
    ['no token', [], support, 400, 'invalid_request'],
    ['an empty token', [['token', '']], support, 400, 'invalid_request'],
    [
      'two tokens',
      [
        ['token', 'x'],
        ['token', 'y'],
      ],
      support,
      400,
      'invalid_request',
    ],
    [
      'a bearer token instead of credentials',
      [['token', 'x']],
      () => ({ authorization: 'Bearer x' }),
      400,
      'invalid_request',
    ],
  ])('%s is refused in JSON, on record', async (_says, form, headers, status, error) => {
    const reply = await show(gate, path, form, { ...headers(), accept: 'text/html' });
    expect(reply).toMatchObject({ status, body: { error, error_description: expect.any(String) } });
    expect(reply.headers.get('content-type')).toMatch(/^application\/json/);
    expect(lastEvent()).toMatchObject({ data: { action: refused, reason: expect.stringContaining(error) } });
    expect(lastEvent()?.subject).toBeUndefined();
  });

  test('only POST is served, and a form is what it takes', async () => {
    expect((await fetch(`${gate.issuer}${path}?token=x`, { headers: support() })).status).toBe(404);
    const json = { ...support(), 'content-type': 'application/json' };
    const response = await fetch(`${gate.issuer}${path}`, { method: 'POST', headers: json, body: '{"token":"x"}' });
    expect([response.status, await response.json()]).toMatchObject([400, { error: 'invalid_request' }]);
  });

  test('without a place in the log there is no answer, and nothing is revoked', async () => {
    const token = await machineToken();
    gate.events.state.full = true;
    const reply = await show(gate, path, { token }, support());
    gate.events.state.full = false;
    expect(reply).toMatchObject({ status: 503, body: { error: 'temporarily_unavailable' } });
    expect(reply.headers.get('retry-after')).toBe('1');
    expect(await isActive(token)).toBe(true);
  });
});

test('no token that was shown is in an event or in the log', async () => {
  const tokens = [await machineToken(), ...Object.values(await personTokens()), `opaque-${'t'.repeat(36)}`];
  for (const path of SHOWN) {
    for (const token of tokens) {
      await show(gate, path, { token }, support());
      await show(gate, path, { token, ...DESKTOP });
    }
  }
  const told = JSON.stringify(gate.events.seen) + gate.lines.join('\n');
  for (const token of tokens) expect(told).not.toContain(token);
});
