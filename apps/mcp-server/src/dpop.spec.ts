import { proofBy, proofKey, type ProofKey, type ProofWords } from '@portcullis/guard/proof.fixture';
import { sendRaw } from './raw-request.fixture.js';
import { call, modern, startRig, type Answered, type Rig, type TokenWords } from './rig.fixture.js';

let rig: Rig;
let key: ProofKey;
let other: ProofKey;
beforeAll(async () => {
  rig = await startRig({ ALLOWED_HOSTS: 'evil.example', ALLOWED_ORIGINS: 'https://app.example' });
  [key, other] = [await proofKey(), await proofKey()];
}, 60_000);
afterAll(() => rig.close());

const LOOK_UP = call('get_customer_info', { customer_id: '12345' });
const bound = (words: TokenWords = {}) => rig.token({ ...words, claims: { cnf: { jkt: key.jkt }, ...words.claims } });
/** Sends one call with a token and a proof under the DPoP scheme, and headers over these. */
const post = (token: string, proof: string, headers: Record<string, string> = {}, message = LOOK_UP) =>
  rig.post(message, undefined, { authorization: `DPoP ${token}`, dpop: proof, ...headers });
/** A nonce as a client gets one: from the first refusal. */
async function nonce(): Promise<string> {
  const token = await bound();
  const { headers } = await post(token, await proofBy(key, { htu: rig.mcp, token }));
  return headers.get('dpop-nonce') ?? '';
}
/** A call with a proof that is good but for the words. */
async function prove(words: Partial<ProofWords> = {}, by = key, token?: string): Promise<Answered> {
  const sent = token ?? (await bound());
  return post(sent, await proofBy(by, { htu: rig.mcp, token: sent, nonce: await nonce(), ...words }));
}
const errorOf = ({ headers }: Answered) => /^DPoP .*error="(\w+)"/.exec(headers.get('www-authenticate') ?? '')?.[1];
const refusalOf = (answer: Answered) => [answer.status, answer.json.error?.data.code, errorOf(answer)];
const BAD_PROOF = [401, 'dpop_invalid', 'invalid_dpop_proof'];
const seconds = () => Math.floor(Date.now() / 1000);

describe('sep-1932-server-validate-proof: proofs are checked as RFC 9449 §4.3 says', () => {
  test('a good proof is let in, and what it proves is on record', async () => {
    const answer = await prove();
    expect([answer.status, answer.json.result.structuredContent.customer_id]).toEqual([200, '12345']);
    expect(rig.events.lastCall()).toMatchObject({ outcome: 'allowed', clientId: 'agent' });
  });

  test.each<[string, Partial<ProofWords>]>([
    ['of another type', { header: { typ: 'JWT' } }],
    ['without a key', { header: { jwk: undefined } }],
    ['without a jti', { claims: { jti: undefined } }],
    ['for another method', { htm: 'GET' }],
    ['for another resource', { htu: 'https://other.example/mcp' }],
    ['without the hash of the token', { claims: { ath: undefined } }],
    ['with the hash of another token', { token: 'another' }],
  ])('a proof %s is refused', async (_what, words) => expect(refusalOf(await prove(words))).toEqual(BAD_PROOF));

  test('a proof by another key than the one in its header is refused', async () => {
    expect(refusalOf(await prove({}, { ...key, privateKey: other.privateKey }))).toEqual(BAD_PROOF);
  });

  test('a proof by another key than the one the token names is refused', async () => {
    expect(refusalOf(await prove({}, other))).toEqual([401, 'dpop_invalid', 'invalid_token']);
  });

  test('two DPoP headers are refused, and none', async () => {
    const token = await bound();
    const proof = await proofBy(key, { htu: rig.mcp, token, nonce: await nonce() });
    for (const dpop of [[proof, proof], []]) {
      const got = await sendRaw(rig.mcp, {
        headers: { ...LOOK_UP.headers, 'content-type': 'application/json', authorization: `DPoP ${token}`, dpop },
        body: JSON.stringify(LOOK_UP.body),
      });
      expect([got.status, got.headers['www-authenticate']]).toEqual([
        401,
        expect.stringMatching(/^DPoP .*error="invalid_dpop_proof"/),
      ]);
    }
  });

  test('a proof is good for one request: sent again it is refused', async () => {
    const token = await bound();
    const proof = await proofBy(key, { htu: rig.mcp, token, nonce: await nonce() });
    expect((await post(token, proof)).status).toBe(200);
    expect(refusalOf(await post(token, proof))).toEqual(BAD_PROOF);
    expect(rig.events.lastCall()).toMatchObject({ outcome: 'dpop_invalid', denial: false });
    const many = await proofBy(key, { htu: rig.mcp, token, nonce: await nonce() });
    const all = await Promise.all(Array.from({ length: 10 }, () => post(token, many)));
    expect(all.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  test('no header says what the proof must be for: not Host, not X-Forwarded-*, not Forwarded', async () => {
    const token = await bound();
    const forged = {
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'https',
      forwarded: 'host=evil.example;proto=https',
    };
    for (const htu of ['https://evil.example/mcp', 'http://evil.example/mcp']) {
      const proof = await proofBy(key, { htu, token, nonce: await nonce() });
      expect(refusalOf(await post(token, proof, forged))).toEqual(BAD_PROOF);
    }
    const through = async (htu: string) => {
      const dpop = await proofBy(key, { htu, token, nonce: await nonce() });
      const headers = { ...LOOK_UP.headers, 'content-type': 'application/json', authorization: `DPoP ${token}`, dpop };
      const sent = { headers: { ...headers, host: 'evil.example' }, body: JSON.stringify(LOOK_UP.body) };
      return (await sendRaw(rig.mcp, sent)).status;
    };
    expect([await through('http://evil.example/mcp'), await through(rig.mcp)]).toEqual([401, 200]);
  });
});

describe('sep-1932-server-iat-window: iat lies within five minutes of now', () => {
  test.each([-299, 299])('%i s is let in', async (off) =>
    expect((await prove({ claims: { iat: seconds() + off } })).status).toBe(200),
  );
  test.each([-305, 305])('%i s is refused', async (off) =>
    expect(refusalOf(await prove({ claims: { iat: seconds() + off } }))).toEqual(BAD_PROOF),
  );
});

describe('sep-1932-server-reject-401: whatever is wrong is 401 with a challenge that says what', () => {
  test('a bound token as Bearer is refused, whatever proof stands beside it (RFC 9449 §7.2)', async () => {
    const token = await bound();
    const stolen = await rig.post(LOOK_UP, undefined, { authorization: `Bearer ${token}` });
    expect(refusalOf(stolen)).toEqual([401, 'dpop_invalid', 'invalid_token']);
    expect(stolen.json.error.code).toBe(40101);
    expect(rig.events.lastCall()).toMatchObject({
      outcome: 'dpop_invalid',
      reason: 'a bound token of agent as Bearer',
    });
    const proof = await proofBy(key, { htu: rig.mcp, token, nonce: await nonce() });
    expect((await post(token, proof, { authorization: `Bearer ${token}` })).status).toBe(401);
  });

  test('a bearer token under the DPoP scheme is refused', async () => {
    const token = await rig.token();
    const answer = await post(token, await proofBy(key, { htu: rig.mcp, token, nonce: await nonce() }));
    expect(refusalOf(answer)).toEqual([401, 'token_invalid', 'invalid_token']);
  });

  test('the challenge names algorithms, scopes and metadata, and the body repeats no nonce', async () => {
    const answer = await prove({ nonce: undefined });
    expect(answer.headers.get('www-authenticate')).toMatch(
      /^DPoP realm="portcullis", error="use_dpop_nonce", error_description="[^"]+", scope="customer:read [^"]*", resource_metadata="http[^"]+\/mcp", algs="ES256 EdDSA Ed25519 RS256"$/,
    );
    expect(Object.keys(answer.json.error.data).sort()).toEqual(['code', 'correlationId']);
  });

  test('a request without a token is told of both schemes', async () => {
    const answer = await rig.raw({ method: 'POST', headers: LOOK_UP.headers });
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer .*, DPoP realm="portcullis", algs="ES256 /);
  });

  test('a scope that is lacking is told under the DPoP scheme', async () => {
    const token = await bound({ scope: 'ticket:read', ceiling: 'ticket:read customer:read' });
    const answer = await prove({}, key, token);
    expect(refusalOf(answer)).toEqual([403, 'scope_insufficient', 'insufficient_scope']);
  });
});

describe('sep-1932-asymmetric-alg-only', () => {
  test.each(['ES256', 'EdDSA', 'Ed25519', 'RS256'] as const)('%s is taken', async (alg) => {
    const by = await proofKey(alg);
    expect((await prove({}, by, await rig.token({ claims: { cnf: { jkt: by.jkt } } }))).status).toBe(200);
  });

  test('none and HS256 are not', async () => {
    const [, body, signature] = (await proofBy(key, { htu: rig.mcp })).split('.');
    for (const alg of ['none', 'HS256']) {
      const head = Buffer.from(JSON.stringify({ alg, typ: 'dpop+jwt', jwk: key.jwk })).toString('base64url');
      for (const proof of [`${head}.${body}.`, `${head}.${body}.${signature}`]) {
        expect(refusalOf(await post(await bound(), proof))).toEqual(BAD_PROOF);
      }
    }
  });
});

describe('sep-1932-server-nonce: every proof carries a nonce of this server', () => {
  test.each([undefined, 'made-up'])('%s is answered with a good one', async (given) => {
    const answer = await prove({ nonce: given });
    expect(refusalOf(answer)).toEqual([401, 'dpop_invalid', 'use_dpop_nonce']);
    const good = answer.headers.get('dpop-nonce') ?? undefined;
    expect((await prove({ nonce: good })).status).toBe(200);
  });

  test('a server that starts again takes no nonce of before, and so no proof of before', async () => {
    const token = await bound();
    const proof = await proofBy(key, { htu: rig.mcp, token, nonce: await nonce() });
    expect((await post(token, proof)).status).toBe(200);
    await rig.restart();
    expect(refusalOf(await post(token, proof))).toEqual([401, 'dpop_invalid', 'use_dpop_nonce']);
    expect((await prove()).status).toBe(200);
  });

  test('pages of allowed origins may send proofs and read nonces', async () => {
    const origin = 'https://app.example';
    const token = await bound();
    const answer = await post(token, await proofBy(key, { htu: rig.mcp, token }), { origin });
    expect(answer.headers.get('access-control-expose-headers')).toContain('DPoP-Nonce');
    const asked = { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST' } };
    expect((await rig.raw(asked)).headers.get('access-control-allow-headers')).toContain(' dpop,');
  });
});

test('sep-1932-server-audience-validation: a proof is no token for another audience', async () => {
  const token = await bound({ claims: { aud: 'https://other.example/mcp', cnf: { jkt: key.jkt } } });
  expect(refusalOf(await prove({}, key, token))).toEqual([401, 'token_invalid', 'invalid_token']);
});

test('other methods than calls ask for a proof too', async () => {
  const token = await bound();
  const list = modern('tools/list');
  const proof = await proofBy(key, { htu: rig.mcp, token, nonce: await nonce() });
  expect((await post(token, proof, {}, list)).status).toBe(200);
  expect((await post(token, proof, {}, list)).status).toBe(401);
  expect((await rig.post(list, undefined, { authorization: `Bearer ${token}` })).status).toBe(401);
});

test('an answer brings the next nonce when that of its proof is about to lapse, whatever became of the call', async () => {
  const good = await nonce();
  rig.skip(60_000);
  const token = await bound();
  const answer = await post(token, await proofBy(key, { htu: rig.mcp, token, nonce: good, now: rig.now() }));
  const next = answer.headers.get('dpop-nonce') ?? undefined;
  expect([answer.status, next === good, next === undefined]).toEqual([200, false, false]);
  const unscoped = await bound({ scope: 'ticket:read', ceiling: 'ticket:read customer:read' });
  const refused = await post(
    unscoped,
    await proofBy(key, { htu: rig.mcp, token: unscoped, nonce: good, now: rig.now() }),
  );
  expect([refused.status, refused.headers.get('dpop-nonce')]).toEqual([403, next]);
  const settled = await post(token, await proofBy(key, { htu: rig.mcp, token, nonce: next, now: rig.now() }));
  expect([settled.status, settled.headers.get('dpop-nonce')]).toEqual([200, null]);
});
