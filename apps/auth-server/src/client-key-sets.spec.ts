import type { JWK } from 'jose';
import { clientKeySets, type ClientKeySetPorts } from './client-key-sets.js';
import { assertion, privateJwk } from './gate.fixture.js';

const URI = 'https://keys.example/jwks';
const publicOf = ({ d: _d, ...key }: JWK): JWK => key;
let key: JWK;
let other: JWK;
beforeAll(async () => {
  key = { ...(await privateJwk()), kid: 'a' };
  other = { ...(await privateJwk()), kid: 'b' };
});

/** Key sets whose one server answers what the test says, at a time that the test says. */
function rig() {
  const served: { keys: unknown; fails: boolean; asked: string[] } = { keys: [publicOf(key)], fails: false, asked: [] };
  const lines: string[] = [];
  let time = 1_000_000;
  const log = { warn: (line: string) => lines.push(line) } as unknown as ClientKeySetPorts['log'];
  const sets = clientKeySets({
    now: () => time,
    log,
    async fetchOutside(url) {
      served.asked.push(url);
      await new Promise(setImmediate);
      if (served.fails) throw new Error('it failed');
      return Response.json({ keys: served.keys });
    },
  });
  return { sets, served, lines, pass: (ms: number) => (time += ms) };
}
const signed = (by: JWK, kid = by.kid) =>
  assertion(by, 'cli_1', 'https://gate.example', {}, { alg: 'ES256', ...(kid !== undefined && { kid }) });
const keysOf = async (sets: ReturnType<typeof rig>['sets']): Promise<JWK[]> =>
  ((await (await sets.fetch('acme', URI)).json()) as { keys: JWK[] }).keys;

test('a set is fetched once for all who wait, and kept for a minute', async () => {
  const { sets, served, pass } = rig();
  const jwt = await signed(key);
  await Promise.all(Array.from({ length: 20 }, () => sets.expectSigned('acme', jwt, URI)));
  expect(served.asked).toEqual([URI]);
  pass(59_999);
  await sets.expectSigned('acme', jwt, URI);
  expect(served.asked).toHaveLength(1);
  pass(1);
  await sets.expectSigned('acme', jwt, URI);
  expect(served.asked).toHaveLength(2);
});

test('a key that is no longer served is refused after a minute at the latest', async () => {
  const { sets, served, pass } = rig();
  const jwt = await signed(key);
  await sets.expectSigned('acme', jwt, URI);
  served.keys = [publicOf(other)];
  pass(60_000);
  await expect(sets.expectSigned('acme', jwt, URI)).rejects.toMatchObject({ error: 'invalid_client' });
  await sets.expectSigned('acme', await signed(other), URI);
});

test('whoever asks for a newer set gets one every five seconds, however often they ask', async () => {
  const { sets, served, pass } = rig();
  for (let at = 0; at < 50; at += 1) await sets.fetch('acme', URI);
  expect(served.asked).toHaveLength(1);
  pass(5_000);
  await sets.fetch('acme', URI);
  expect(served.asked).toHaveLength(2);
});

test('a server that fails is left alone for five seconds, and its known keys stay good for an hour', async () => {
  const { sets, served, lines, pass } = rig();
  const jwt = await signed(key);
  await sets.expectSigned('acme', jwt, URI);
  served.fails = true;
  pass(60_000);
  for (let at = 0; at < 10; at += 1) await sets.expectSigned('acme', jwt, URI);
  expect([served.asked.length, lines.length]).toEqual([2, 1]);
  pass(59 * 60_000);
  await expect(sets.expectSigned('acme', jwt, URI)).rejects.toMatchObject({ error: 'invalid_client' });
  served.fails = false;
  pass(5_000);
  await sets.expectSigned('acme', jwt, URI);
});

test('a server that never answered is asked every five seconds only', async () => {
  const { sets, served, pass } = rig();
  served.fails = true;
  for (let at = 0; at < 10; at += 1) await expect(sets.fetch('acme', URI)).rejects.toThrow('it failed');
  expect(served.asked).toHaveLength(1);
  pass(5_000);
  await expect(sets.fetch('acme', URI)).rejects.toThrow('it failed');
  expect(served.asked).toHaveLength(2);
});

test('keys that we would not register are left out, and each has one algorithm', async () => {
  const { sets, served } = rig();
  const weak = { kty: 'RSA', n: 'AQAB', e: 'AQAB' };
  served.keys = [key, { kty: 'oct', k: 'c2VjcmV0' }, weak, 'x', { ...publicOf(key), use: 'enc' }, publicOf(other)];
  expect(await keysOf(sets)).toEqual([{ ...publicOf(other), alg: 'ES256', use: 'sig' }]);
});

test.each([
  ['no list', { a: 1 }],
  ['21 keys', Array.from({ length: 21 }, () => ({}))],
])('a set that holds %s is none', async (_says, keys) => {
  const { sets, served } = rig();
  served.keys = keys;
  await expect(sets.fetch('acme', URI)).rejects.toThrow(/key set/);
});

test.each([
  ['another key', () => signed(other)],
  ['another key under the name of the right one', () => signed(other, 'a')],
  ['the right key under another name', () => signed(key, 'b')],
])('an assertion by %s is refused', async (_says, jwt) => {
  const { sets } = rig();
  await expect(sets.expectSigned('acme', await jwt(), URI)).rejects.toMatchObject({ error: 'invalid_client' });
});

test('an assertion that names no key is held against each', async () => {
  const { sets, served } = rig();
  served.keys = [publicOf(other), publicOf(key)];
  await sets.expectSigned('acme', await signed({ ...key, kid: undefined } as unknown as JWK, undefined), URI);
});

test('oidc-provider gets key sets and nothing else', async () => {
  const { sets, served } = rig();
  await expect(sets.fetch('acme', 'https://client.example/logout', { method: 'POST' })).rejects.toThrow(
    'key sets only',
  );
  expect(served.asked).toHaveLength(0);
});
