import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { remoteKeys } from './jwks.http.js';
import { verifyAccessToken } from './token.js';

let server: Server;
let jwksUri: string;
let asked: number;
let serve: RequestListener;
let keys: JWK[];
let time: number;

const made = async (kid: string) => {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  return { privateKey, kid, jwk: { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' } };
};
let first: Awaited<ReturnType<typeof made>>;
let second: Awaited<ReturnType<typeof made>>;

beforeAll(async () => {
  [first, second] = await Promise.all([made('k1'), made('k2')]);
  server = createServer((request, response) => {
    asked += 1;
    serve(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  jwksUri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});
beforeEach(() => {
  asked = 0;
  time = Date.now();
  keys = [first.jwk];
  serve = (_request, response) => response.end(JSON.stringify({ keys }));
});

const MINUTE = 60_000;
const answering = (status: number, body = '{}', headers = {}) => {
  serve = (_request, response) => response.writeHead(status, headers).end(body);
};
const verifier = (fetch = globalThis.fetch) => {
  const remote = remoteKeys({ jwksUri, fetch, now: () => time });
  const rules = { issuer: 'i', audience: 'a', keys: remote, now: () => time };
  const verify = async ({ privateKey, kid }: { privateKey: CryptoKey; kid: string }): Promise<string> => {
    const claims = { tenant: 't', ceiling: '', client_id: 'c', sub: 'c', jti: 'j', iss: 'i', aud: 'a' };
    const token = await new SignJWT({ ...claims, iat: time / 1000, exp: time / 1000 + 600 })
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid })
      .sign(privateKey);
    return verifyAccessToken(token, rules).then(
      () => 'good',
      (error: { code: string }) => error.code,
    );
  };
  return Object.assign(verify, { remote });
};

test('keys are fetched once for all who wait, and then kept', async () => {
  const verify = verifier();
  expect(await Promise.all(Array.from({ length: 20 }, () => verify(first)))).toEqual(Array(20).fill('good'));
  time += 4 * MINUTE;
  expect([await verify(first), asked]).toEqual(['good', 1]);
});

test('keys older than four minutes are fetched again beside the request, which does not wait', async () => {
  const verify = verifier();
  await verify(first);
  let answer = () => {};
  const asking = new Promise<void>((resolve) => {
    serve = (_request, response) => {
      answer = () => response.end(JSON.stringify({ keys: [second.jwk] }));
      resolve();
    };
  });
  time += 5 * MINUTE;
  expect(await Promise.all([verify(first), verify(first)])).toEqual(['good', 'good']);
  await asking;
  expect([await verify(first), asked]).toEqual(['good', 2]);
  answer();
  // joins the fetch, or finds it done
  expect([await verify(second), asked]).toEqual(['good', 2]);
});

test('forged key ids cannot keep us from a key that was announced before it signs', async () => {
  const verify = verifier();
  await verify(first);
  keys = [first.jwk, second.jwk];
  time += 6_000;
  expect([await verify({ ...first, kid: 'forged' }), asked]).toEqual(['token_invalid', 2]);
  time += 1;
  expect([await verify(second), asked]).toEqual(['good', 2]);
});

test('keys older than ten minutes are fetched again, so that a withdrawn key stops working', async () => {
  const verify = verifier();
  await verify(first);
  keys = [second.jwk];
  time += 11 * MINUTE;
  expect([await verify(first), await verify(second), asked]).toEqual(['token_invalid', 'good', 2]);
});

test('a new key is found when its first token comes', async () => {
  const verify = verifier();
  await verify(first);
  keys = [first.jwk, second.jwk];
  time += 6_000;
  expect([await verify(second), asked]).toEqual(['good', 2]);
});

test('tokens of unknown keys cannot drive us: at most one fetch in five seconds', async () => {
  const verify = verifier();
  await verify(first);
  time += 6_000;
  const forged = Array.from({ length: 30 }, (_, at) => verify({ ...first, kid: `forged-${at}` }));
  expect(new Set(await Promise.all(forged))).toEqual(new Set(['token_invalid']));
  expect(asked).toBe(2);
  time += 4_000;
  await verify({ ...first, kid: 'forged' });
  expect(asked).toBe(2);
});

test.each<[string, () => void]>([
  ['is not there', () => (serve = (request) => void request.socket.destroy())],
  ['answers 500', () => answering(500)],
  ['answers a redirect', () => answering(302, '', { Location: '/elsewhere' })],
  ['answers no JSON', () => answering(200, '<html>')],
  ['answers no key set', () => answering(200, '[]')],
  ['answers null', () => answering(200, 'null')],
  ['answers an empty key set', () => answering(200, '{"keys":[]}')],
  ['answers a megabyte', () => answering(200, `{"keys":[],"x":"${'x'.repeat(1_000_000)}"}`)],
])('an issuer that %s is an overload, not an invalid token; and asked again a second later', async (_what, fail) => {
  const verify = verifier();
  fail();
  expect([await verify(first), await verify(first)]).toEqual(['overloaded', 'overloaded']);
  expect(asked).toBe(1);
  serve = (_request, response) => response.end(JSON.stringify({ keys }));
  time += 1_000;
  expect(await verify(first)).toBe('good');
});

test('known keys stay good for an hour while the issuer is away, and an unknown one cannot be judged', async () => {
  const verify = verifier();
  await verify(first);
  answering(500);
  time += 11 * MINUTE;
  expect([await verify(second), await verify(first)]).toEqual(['overloaded', 'good']);
  time += 50 * MINUTE;
  expect(await verify(first)).toBe('overloaded');
});

test('a clock that steps back does not keep old keys', async () => {
  const verify = verifier();
  await verify(first);
  time -= 60 * MINUTE;
  expect([await verify(first), asked]).toEqual(['good', 2]);
});

describe('whoever was verified before and asks for no key', () => {
  test('has the keys fetched again all the same, and does not wait while they are younger than ten minutes', async () => {
    const verify = verifier();
    const { fresh, withdrawals } = verify.remote;
    await verify(first);
    expect([fresh!(), asked, withdrawals!()]).toEqual([undefined, 1, 0]);
    keys = [second.jwk];
    time += 5 * MINUTE;
    expect([fresh!(), fresh!()]).toEqual([undefined, undefined]);
    // the fetch under way is the one that a key is waited for with
    time += 6 * MINUTE;
    await fresh!();
    expect([asked, withdrawals!()]).toEqual([2, 1]);
  });

  test('waits when they are older, and learns of a withdrawn key by then', async () => {
    const verify = verifier();
    const { fresh, withdrawals } = verify.remote;
    await verify(first);
    keys = [second.jwk];
    time += 11 * MINUTE;
    const fetched = fresh!();
    expect(fetched).toBeInstanceOf(Promise);
    await Promise.all([fetched, fresh!()]);
    expect([asked, withdrawals!(), fresh!()]).toEqual([2, 1, undefined]);
  });

  test('is refused once the issuer has been away for an hour', async () => {
    const verify = verifier();
    await verify(first);
    answering(500);
    time += 61 * MINUTE;
    await expect(verify.remote.fresh!()).rejects.toThrow('the issuer gives no keys');
  });
});

test('only a key that goes or changes is a withdrawal; one that comes, or another order of its members, is none', async () => {
  const verify = verifier();
  const { fresh, withdrawals } = verify.remote;
  const seen: number[] = [];
  const look = async (next: JWK[]) => {
    keys = next;
    time += 11 * MINUTE;
    await fresh!();
    seen.push(withdrawals!());
  };
  await verify(first);
  await look([first.jwk, second.jwk]);
  await look([second.jwk, Object.fromEntries(Object.entries(first.jwk).reverse()) as JWK]);
  await look([{ ...second.jwk, kid: 'k1' }, first.jwk]);
  await look([first.jwk]);
  expect(seen).toEqual([0, 0, 1, 2]);
});

test('an issuer that never answers is waited for once, and then asked beside the requests', async () => {
  const ends: (() => void)[] = [];
  let hangs = false;
  const fetch: typeof globalThis.fetch = (uri, init) =>
    hangs
      ? new Promise((_resolve, reject) => void ends.push(() => reject(new Error('timeout'))))
      : globalThis.fetch(uri, init);
  const verify = verifier(fetch);
  await verify(first);
  hangs = true;
  time += 11 * MINUTE;
  const waits = verify(first);
  while (ends.length < 1) await new Promise((resolve) => setImmediate(resolve));
  ends[0]!();
  expect(await waits).toBe('good');
  time += 2_000;
  expect(await Promise.all([verify(first), verify(first)])).toEqual(['good', 'good']);
  expect(ends).toHaveLength(2);
  ends[1]!();
  await new Promise((resolve) => setImmediate(resolve));
  // what was seen more than a minute ago may be over
  hangs = false;
  keys = [second.jwk];
  time += 2 * MINUTE;
  expect(await verify(first)).toBe('token_invalid');
});
