import { startRig, type Rig, type TokenWords } from './rig.fixture.js';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
}, 60_000);
afterAll(() => rig.close());

const admin = (): TokenWords => ({
  client: 'local-admin',
  scope: 'platform:admin',
  claims: { aud: `${rig.url}/admin`, sub: 'local-admin/1000' },
});
const drill = async (method: string, tenant: string, words: TokenWords | null = admin()) =>
  rig.raw({
    url: `${rig.url}/admin/v1/drills/${tenant}`,
    method,
    headers: words ? { authorization: `Bearer ${await rig.token(words)}` } : {},
  });

it('a drill tenant gets the demo rows once, loses everything at its end, and can be made again', async () => {
  const before = await rig.rows();
  expect((await drill('PUT', 'drill-a')).json).toEqual({ tenant: 'drill-a', seeded: true });
  expect((await drill('PUT', 'drill-a')).json).toEqual({ tenant: 'drill-a', seeded: false });
  expect((await rig.rows())['customers']).toBe(2 * before['customers']!);
  expect((await drill('DELETE', 'drill-a')).json).toEqual({ tenant: 'drill-a', customers: before['customers'] });
  expect(await rig.rows()).toEqual(before);
  expect((await drill('DELETE', 'drill-a')).json).toEqual({ tenant: 'drill-a', customers: 0 });
  expect((await drill('PUT', 'drill-a')).json.seeded).toBe(true);
});

it('each use is audited under the name of who did it', async () => {
  const events = rig.events.all.length;
  await drill('PUT', 'drill-b');
  await drill('DELETE', 'drill-b');
  expect(rig.events.all.slice(events).map(({ type, tenant, data }) => ({ type, tenant, data }))).toEqual(
    ['drill.seeded', 'drill.removed'].map((action) => ({
      type: 'portcullis.admin.v1',
      tenant: 'drill-b',
      data: { action, actor: 'local-admin/1000', target: 'drill-b' },
    })),
  );
});

it('a removal that cannot be put on record does not happen', async () => {
  await drill('PUT', 'drill-c');
  const before = await rig.rows();
  rig.events.setFull(true);
  const got = await drill('DELETE', 'drill-c');
  rig.events.setFull(false);
  expect([got.status, await rig.rows()]).toEqual([503, before]);
  await drill('DELETE', 'drill-c');
});

it.each(['default', 'drill', 'acme', 'drill-A', 'drill-%00', 'drill-..%2fdefault', `drill-${'x'.repeat(40)}`])(
  '%s is no drill tenant, and is left alone',
  async (tenant) => {
    const before = await rig.rows();
    for (const method of ['PUT', 'DELETE']) {
      const got = await drill(method, tenant);
      expect([got.status, got.json.error]).toEqual([400, 'input_invalid']);
    }
    expect(await rig.rows()).toEqual(before);
  },
);

it.each([
  ['no token', () => null, 401, 'token_missing'],
  ['a token for /mcp', () => ({ scope: 'platform:admin', claims: { aud: rig.mcp } }), 401, 'token_invalid'],
  ['a token without platform:admin', () => ({ ...admin(), scope: 'customer:read' }), 403, 'scope_insufficient'],
] satisfies [string, () => TokenWords | null, number, string][])(
  '%s opens nothing, on record',
  async (_name, words, status, error) => {
    const before = rig.events.all.length;
    const got = await drill('DELETE', 'drill-a', words());
    expect([got.status, got.json.error]).toEqual([status, error]);
    expect(rig.events.all.slice(before)).toMatchObject([
      {
        type: 'portcullis.admin.v1',
        data: {
          action: 'request.refused',
          target: 'DELETE /admin/v1/drills/:tenant',
          reason: expect.stringMatching(new RegExp(`^${error}.* from 127\\.0\\.0\\.1$`)),
        },
      },
    ]);
  },
);

it('a contained administrator is refused too', async () => {
  // a machine's principal has no person in it
  const words = { ...admin(), client: 'admin-machine', claims: { aud: `${rig.url}/admin` } };
  expect((await drill('PUT', 'drill-c', words)).status).toBe(200);
  await rig.say('Isolated', 'admin-machine');
  expect((await drill('PUT', 'drill-c', words)).json.error).toBe('quarantined');
});
