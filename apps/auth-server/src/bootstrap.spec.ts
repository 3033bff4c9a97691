import { migrate } from '@portcullis/sql/migrate.sql';
import { openTestDatabase } from '@portcullis/sql/database.fixture';
import { linkHash, linkToken } from './bootstrap-links.js';
import { bootstrapLinksContract } from './bootstrap-links.contract.js';
import { sqlBootstrapLinks } from './bootstrap-links.sql.js';
import { bootstrap } from './bootstrap.wire.js';
import { Browser, formIn } from './browser.fixture.js';
import { startGate, world, type Gate } from './gate.fixture.js';
import { sqlUsers } from './users.sql.js';

let gate: Gate;
let skew = 0;
beforeAll(async () => {
  const of = await world();
  // a deployment without people: what the demo brings would be an administrator already
  gate = await startGate(of, { demo: undefined, now: () => Date.now() + skew });
}, 60_000);
afterAll(async () => {
  await gate.close();
  await gate.database.close();
});
afterEach(async () => {
  skew = 0;
  await gate.database.everyTenant<{ users: object }>('auth').deleteFrom('users').execute();
});

describe('links in SQL', () =>
  bootstrapLinksContract(async () => {
    const database = await openTestDatabase();
    await migrate(database, 'auth', new URL('../migrations/', import.meta.url));
    closing.push(() => database.close());
    return { links: sqlBootstrapLinks(database), users: sqlUsers(database) };
  }));

const closing: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const close of closing) await close();
});

let count = 0;
/** What the verb does, without its own connection to the database. */
async function link(): Promise<string> {
  const token = linkToken(new Uint8Array(32).fill(++count));
  await sqlBootstrapLinks(gate.database).make('default', linkHash(token), Date.now() + 30 * 60_000);
  return `/bootstrap/${token}`;
}
const chosen = { username: 'Root', password: 'a long enough password', again: 'a long enough password' };
const browser = () => new Browser(gate.issuer);
const people = async () =>
  (
    await gate.database
      .everyTenant<{ users: { username: string; roles: string[] } }>('auth')
      .selectFrom('users')
      .selectAll()
      .execute()
  ).map(({ username, roles }) => [username, roles]);

test('the link shows a form, and the form makes an administrator, once', async () => {
  const path = await link();
  const page = await browser().open(path);
  expect([page.status, page.headers.get('referrer-policy'), page.headers.get('cache-control')]).toEqual([
    200,
    'no-referrer',
    'no-store',
  ]);
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(page.html).not.toContain('<script');
  const before = gate.events.seen.length;
  const done = await browser().submit(formIn(page.html), chosen);
  expect([done.status, done.html]).toEqual([200, expect.stringContaining('root')]);
  expect(await people()).toEqual([['root', ['admin', 'responder']]]);
  expect(gate.events.seen.slice(before)).toMatchObject([
    { tenant: 'default', data: { action: 'bootstrap.link_made', actor: 'bootstrap' } },
    { tenant: 'default', data: { action: 'user.created', actor: 'bootstrap', target: expect.stringMatching(/^usr_/) } },
  ]);
  for (const again of [await browser().open(path), await browser().submit(formIn(page.html), chosen)]) {
    expect([again.status, again.html]).toEqual([404, expect.stringContaining('not good')]);
  }
  const said = JSON.stringify(gate.events.seen) + gate.lines.join();
  for (const secret of [path.slice('/bootstrap/'.length), chosen.password]) expect(said).not.toContain(secret);
});

test('used, expired, unknown and never possible links are answered alike', async () => {
  const used = await link();
  await browser().submit(formIn((await browser().open(used)).html), chosen);
  await gate.database.everyTenant<{ users: object }>('auth').deleteFrom('users').execute();
  const expired = await link();
  const replies = [
    await browser().open(used),
    await browser().open('/bootstrap/x'),
    await browser().open(`/bootstrap/${'A'.repeat(43)}`),
  ];
  skew = 31 * 60_000;
  replies.push(await browser().open(expired));
  const shown = replies.map(({ status, html }) => [status, html.replace(/[0-9a-f-]{36}/, '')]);
  expect(new Set(shown.map((one) => JSON.stringify(one))).size).toBe(1);
  expect(shown[0]?.[0]).toBe(404);
});

test.each<[string, Partial<typeof chosen> & Record<string, string>, string]>([
  ['two passwords that differ', { again: 'another long password' }, 'differ'],
  ['a short password', { password: 'short', again: 'short' }, '15 characters'],
  ['a name that is none', { username: 'a b' }, 'user name'],
  ['a field more', { roles: 'supervisor' }, ''],
])('%s is answered with the form again, and the link stays good', async (_says, wrong, says) => {
  const path = await link();
  const form = formIn((await browser().open(path)).html);
  const again = await browser().submit(form, { ...chosen, ...wrong });
  expect([again.status, again.html]).toEqual([400, expect.stringContaining(says)]);
  expect(await people()).toEqual([]);
  expect((await browser().submit(formIn(again.html), chosen)).status).toBe(200);
});

test('a form that is not our page’s is refused', async () => {
  const path = await link();
  const form = formIn((await browser().open(path)).html);
  const refused = [
    await browser().submit({ ...form, hidden: {} }, chosen),
    await browser().submit({ ...form, hidden: formIn((await browser().open(await link())).html).hidden }, chosen),
    await browser().submit(form, chosen, { 'sec-fetch-site': 'cross-site' }),
    await browser().submit({ ...form, action: `${path}?username=x` }, chosen),
    await browser().open(path, {
      method: 'POST',
      body: JSON.stringify(chosen),
      headers: { 'content-type': 'application/json' },
    }),
  ];
  expect(refused.map(({ status }) => status)).toEqual([403, 403, 403, 400, 400]);
  expect(await people()).toEqual([]);
});

test('an administrator that cannot be put on record is not made', async () => {
  const path = await link();
  const form = formIn((await browser().open(path)).html);
  gate.events.state.full = true;
  const reply = await browser().submit(form, chosen);
  gate.events.state.full = false;
  expect(reply.status).toBe(503);
  expect(await people()).toEqual([]);
  expect((await browser().submit(form, chosen)).status).toBe(200);
});

describe('what the command line runs', () => {
  test('refuses in embedded mode and says who the administrator is there', async () => {
    expect(await bootstrap({ PORTCULLIS_MODE: 'embedded' })).toEqual({
      code: 2,
      err: expect.stringContaining('Embedded mode has an administrator already'),
    });
  });

  test('names every setting that is missing or not for a deployment', async () => {
    const { code, err } = await bootstrap({ DATABASE_URL: 'pglite://memory', AUTH_ISSUER: 'http://a.example' });
    expect([code, err]).toEqual([2, expect.stringMatching(/DATABASE_URL[^]*postgres/)]);
    expect(err).toMatch(/AUTH_ISSUER[^]*https/);
    expect((await bootstrap({})).err).toMatch(/AUTH_ISSUER/);
  });
});
