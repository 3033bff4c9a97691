import { principalId } from '@portcullis/contract/ids';
import { decodeJwt } from 'jose';
import { askAdmin, machine, type AdminReply } from './admin.fixture.js';
import { exchange, grantAs, type Person } from './flow.fixture.js';
import { adminToken, basic, MCP, postToken, startGate, world, type Gate } from './gate.fixture.js';
import { show } from './shown-token.fixture.js';

let gate: Gate;
let platform: string;
/** of programs only, and of people only */
let ofClients: string;
let ofUsers: string;
beforeAll(async () => {
  gate = await startGate(await world());
  const token = (scope: string) => adminToken(gate, gate.uris.authAdmin, scope);
  platform = await token('admin:clients admin:users platform:admin');
  ofClients = await token('admin:clients');
  ofUsers = await token('admin:users');
}, 60_000);
afterAll(async () => {
  await gate.close();
  await gate.database.close();
});

const DESKTOP = { client_id: 'desktop' };
const revoke = (body: object, token = platform): Promise<AdminReply> =>
  askAdmin(gate, token, 'POST', '/revocations', body);
const isActive = async (token: string, headers = {}, more = {}) =>
  (await show(gate, '/introspect', { token, ...more }, headers)).body.active;
const lastAdminEvent = () => gate.events.seen.filter(({ type }) => type === 'portcullis.admin.v1').at(-1);

/** A client with a token of its own. */
async function program(more: object = {}) {
  const { body } = await askAdmin(gate, platform, 'POST', '/clients', machine(more));
  const { client_id: id = '', client_secret: secret = '' } = body as Record<string, string>;
  const headers = basic(id, secret);
  const token = async () =>
    String((await postToken(gate, { grant_type: 'client_credentials' }, headers)).body.access_token);
  return { id, headers, token };
}
/** A person who has signed in with `desktop`. */
async function someone(username: string) {
  const { body } = await askAdmin(gate, platform, 'POST', '/users', { username, roles: ['agent-user'] });
  const person: Person = { username, password: String(body.password) };
  const signIn = async () => {
    const { code, verifier } = await grantAs(gate, person, { scope: 'customer:read' });
    const reply = await exchange(gate, code ?? '', verifier);
    const [access, refresh] = [String(reply.body.access_token), String(reply.body.refresh_token)];
    const active = async () => [await isActive(access, {}, DESKTOP), await isActive(refresh, {}, DESKTOP)];
    return { access, refresh, active, grant: String(decodeJwt(access).grant_id) };
  };
  return { id: String(body.user_id), signIn };
}
const GOOD = [true, true];
const DEAD = [false, false];

describe('the grants', () => {
  test('are listed with what was consented to, of a client or of a person, page by page', async () => {
    const [ann, bob] = [await someone('ann'), await someone('bob')];
    const [first, second, other] = [await ann.signIn(), await ann.signIn(), await bob.signIn()];
    const of = async (query: string) => (await askAdmin(gate, ofUsers, 'GET', `/grants?${query}`)).body;
    const idsOf = ({ items }: Record<string, unknown>) =>
      (items as { grant_id: string }[]).map(({ grant_id }) => grant_id);
    const anns = await of(`sub=${ann.id}`);
    expect(idsOf(anns)).toEqual([first.grant, second.grant].sort());
    expect((anns.items as unknown[])[0]).toEqual({
      grant_id: expect.any(String),
      ...{ tenant: 'default', client_id: 'desktop', sub: ann.id, resources: { [MCP]: 'customer:read' } },
      created_at: expect.stringMatching(/Z$/),
      expires_at: expect.stringMatching(/Z$/),
    });
    const page = await of(`sub=${ann.id}&limit=1`);
    expect(idsOf(await of(`sub=${ann.id}&limit=1&cursor=${page.next_cursor}`))).toEqual(idsOf(anns).slice(1));
    expect(idsOf(await of(`client_id=desktop&sub=${bob.id}`))).toEqual([other.grant]);
    expect(idsOf(await of('client_id=support-agent'))).toEqual([]);
  });

  test('one that is revoked is dead with all its tokens, on record, and is listed no more', async () => {
    const cleo = await someone('cleo');
    const [gone, kept] = [await cleo.signIn(), await cleo.signIn()];
    expect((await askAdmin(gate, ofUsers, 'DELETE', `/grants/${gone.grant}`)).status).toBe(204);
    expect(lastAdminEvent()?.data).toEqual({
      action: 'grant.revoked',
      actor: 'local-admin/1000',
      target: gone.grant,
      reason: 'an administrator asked',
    });
    expect([await gone.active(), await kept.active()]).toEqual([DEAD, GOOD]);
    expect((await askAdmin(gate, ofUsers, 'DELETE', `/grants/${gone.grant}`)).status).toBe(404);
    expect((await askAdmin(gate, ofUsers, 'GET', `/grants?sub=${cleo.id}`)).text).not.toContain(gone.grant);
  });

  test('of another tenant are to its administrator what nobody has; the platform sees them, on record', async () => {
    const { grant } = await (await someone('dan')).signIn();
    const [theirs, unknown] = [
      await askAdmin(gate, platform, 'DELETE', `/grants/${grant}?tenant=acme`),
      await askAdmin(gate, platform, 'DELETE', '/grants/unknown?tenant=acme'),
    ];
    expect([theirs.status, theirs.body.error]).toEqual([unknown.status, unknown.body.error]);
    expect((await askAdmin(gate, platform, 'GET', '/grants?tenant=acme')).body).toEqual({
      items: [],
      next_cursor: null,
    });
    expect(lastAdminEvent()).toMatchObject({ tenant: 'acme', data: { action: 'grants.listed' } });
    expect((await askAdmin(gate, ofUsers, 'GET', '/grants?tenant=acme')).status).toBe(403);
  });
});

describe('revoking', () => {
  test('a token that is shown, or by its id, leaves the others', async () => {
    const { headers, token } = await program();
    const [shown, named, kept] = [await token(), await token(), await token()];
    const jti = String(decodeJwt(shown).jti);
    const reply = await revoke({ what: 'token', token: shown, reason: 'seen in a chat' }, ofClients);
    expect([reply.status, reply.body]).toEqual([200, { tenant: 'default', what: 'token', id: jti }]);
    const data = { action: 'token.revoked', actor: 'local-admin/1000', target: jti, reason: 'seen in a chat' };
    expect(lastAdminEvent()?.data).toEqual(data);
    expect((await revoke({ what: 'token', id: decodeJwt(named).jti })).status).toBe(200);
    const states = [shown, named, kept].map((one) => isActive(one, headers));
    expect(await Promise.all(states)).toEqual([false, false, true]);
    expect(JSON.stringify(gate.events.seen) + gate.lines.join()).not.toContain(shown);
  });

  test('a refresh token that is shown revokes its grant, which takes the right to revoke grants', async () => {
    const { refresh, grant, active } = await (await someone('eve')).signIn();
    expect((await revoke({ what: 'token', token: refresh }, ofClients)).status).toBe(403);
    expect(await active()).toEqual(GOOD);
    expect((await revoke({ what: 'token', token: refresh })).body).toMatchObject({ what: 'grant', id: grant });
    expect(await active()).toEqual(DEAD);
  });

  test('a client ends what all its people have, and it may get new tokens', async () => {
    const { id, headers, token } = await program();
    const [old, other] = [await token(), await program()];
    const theirs = await other.token();
    expect((await revoke({ what: 'client', id }, ofClients)).body).toEqual({ tenant: 'default', what: 'client', id });
    expect([await isActive(old, headers), await isActive(theirs, other.headers)]).toEqual([false, true]);
    expect((await postToken(gate, { grant_type: 'client_credentials' }, headers)).status).toBe(200);
  });

  test('a person ends all their grants and sessions, and leaves the other people of the client', async () => {
    const [fay, gus] = [await someone('fay'), await someone('gus')];
    const [hers, his] = [await fay.signIn(), await gus.signIn()];
    expect((await revoke({ what: 'user', id: fay.id }, ofUsers)).status).toBe(200);
    expect([await hers.active(), await his.active()]).toEqual([DEAD, GOOD]);
  });

  test.each([
    ['by its id', (sub: string) => ({ id: principalId('default', 'desktop', sub) })],
    ['by whose it is', (sub: string) => ({ client_id: 'desktop', sub })],
  ])('an agent, named %s, ends what that person gave that client', async (says, named) => {
    const [hal, ian] = [await someone(`hal-${says.length}`), await someone(`ian-${says.length}`)];
    const [hers, his] = [await hal.signIn(), await ian.signIn()];
    const reply = await revoke({ what: 'principal', ...named(hal.id) }, ofClients);
    expect(reply.body).toMatchObject({ what: 'principal', id: principalId('default', 'desktop', hal.id) });
    expect([await hers.active(), await his.active()]).toEqual([DEAD, GOOD]);
  });

  test.each<[string, object, number]>([
    ['nothing', {}, 400],
    ['what is none', { what: 'world', id: 'x' }, 400],
    ['a token and its id', { what: 'token', id: 'x', token: 'y' }, 400],
    ['an agent that is none', { what: 'principal', id: 'support-agent' }, 400],
    ['an id that SQL cannot hold', { what: 'client', id: 'a\0b' }, 400],
    ['a reason that turns text around', { what: 'token', id: 'x', reason: 'a\u202eb' }, 400],
    ['an unknown token', { what: 'token', token: 'unknown' }, 404],
    ['an unknown client', { what: 'client', id: 'unknown' }, 404],
    ['an agent of an unknown client', { what: 'principal', client_id: 'unknown' }, 404],
    ['an agent of a client that acts for people only', { what: 'principal', client_id: 'desktop' }, 409],
    ['an unknown person', { what: 'user', id: 'unknown' }, 404],
    ['an unknown grant', { what: 'grant', id: 'unknown' }, 404],
  ])('%s is refused, and nothing is on record', async (_says, body, status) => {
    const before = gate.events.seen.length;
    expect(await revoke(body)).toMatchObject({ status });
    expect(gate.events.seen).toHaveLength(before);
  });

  test.each<[string, () => Promise<object>]>([
    ['client', async () => ({ what: 'client', id: (await program({ tenant: 'acme' })).id })],
    ['token', async () => ({ what: 'token', token: await (await program({ tenant: 'acme' })).token() })],
    [
      'person',
      async () => ({
        what: 'user',
        id: (
          await askAdmin(gate, platform, 'POST', '/users', { username: 'zoe', roles: ['agent-user'], tenant: 'acme' })
        ).body.user_id,
      }),
    ],
  ])(
    "another tenant's %s is unknown here, and can be named with its tenant by the platform only",
    async (_says, made) => {
      const body = await made();
      expect((await revoke(body)).status).toBe(404);
      expect(
        (await revoke({ ...body, tenant: 'acme' }, 'what' in body && body.what === 'user' ? ofUsers : ofClients))
          .status,
      ).toBe(403);
      expect((await revoke({ ...body, tenant: 'acme' })).body).toMatchObject({ tenant: 'acme' });
      expect(lastAdminEvent()).toMatchObject({ tenant: 'acme' });
    },
  );

  test('takes the right for what it is', async () => {
    expect((await revoke({ what: 'user', id: 'x' }, ofClients)).body).toMatchObject({ scopes: ['admin:users'] });
    expect((await revoke({ what: 'client', id: 'x' }, ofUsers)).body).toMatchObject({ scopes: ['admin:clients'] });
    expect((await askAdmin(gate, undefined, 'POST', '/revocations', {})).status).toBe(401);
  });

  test('that cannot be put on record does not happen', async () => {
    const { id, headers, token } = await program();
    const one = await token();
    gate.events.state.full = true;
    const reply = await revoke({ what: 'client', id });
    gate.events.state.full = false;
    expect([reply.status, await isActive(one, headers)]).toEqual([503, true]);
  });
});
