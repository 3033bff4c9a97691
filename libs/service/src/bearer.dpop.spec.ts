import { localKeys } from '@portcullis/guard/jwks.http';
import { proofBy, proofKey, type ProofKey, type ProofWords } from '@portcullis/guard/proof.fixture';
import { AUDIENCE, ISSUER, startThings, testIssuer, type TestIssuer } from './api.fixture.js';

let issuer: TestIssuer;
let things: Awaited<ReturnType<typeof startThings>>;
let key: ProofKey;
let token: string;

beforeAll(async () => {
  issuer = await testIssuer();
  things = await startThings(
    { rules: { issuer: ISSUER, audience: AUDIENCE, keys: localKeys(issuer.jwks), now: Date.now } },
    { cors: { origins: ['https://console.example'] } },
  );
  key = await proofKey();
  token = await issuer.token({ cnf: { jkt: key.jkt } });
});
afterAll(() => things.close());

const proof = (htu: string, nonce?: string, more: Partial<ProofWords> = {}) =>
  proofBy(key, { htm: 'GET', htu, token, nonce, ...more });

async function ask(headers: Record<string, string>, path = '/whoami') {
  const response = await fetch(things.bound.url + path, { headers });
  return {
    status: response.status,
    challenge: response.headers.get('www-authenticate') ?? '',
    nonce: response.headers.get('dpop-nonce') ?? undefined,
    exposed: response.headers.get('access-control-expose-headers') ?? '',
    body: (await response.json()) as Record<string, unknown>,
  };
}
const own = () => `${things.bound.url}/whoami`;
const dpop = (proven: string) => ({ Authorization: `DPoP ${token}`, DPoP: proven });
/** A nonce as a client gets it: from the first refusal. */
const nonce = async () => (await ask(dpop(await proof(own())))).nonce;

test('the first request is told a nonce, the second is let in, and sent again it is refused', async () => {
  const first = await ask(dpop(await proof(own())));
  expect([first.status, first.body.error]).toEqual([401, 'dpop_invalid']);
  expect(first.challenge).toMatch(
    /^DPoP realm="portcullis", error="use_dpop_nonce", .*scope="security:read", algs="ES256 /,
  );
  expect(Object.keys(first.body).sort()).toEqual(['correlation_id', 'error', 'error_description', 'scopes']);
  const second = dpop(await proof(own(), first.nonce));
  expect(await ask(second)).toMatchObject({ status: 200, body: { clientId: 'client-1' } });
  expect(await ask(second)).toMatchObject({
    status: 401,
    challenge: expect.stringContaining('error="invalid_dpop_proof"'),
    body: { error: 'dpop_invalid' },
  });
});

test('the proof names the whole path of this API, and its query is left aside', async () => {
  const good = await nonce();
  expect((await ask(dpop(await proof(`${own()}?a=1`, good)), '/whoami?b=2')).status).toBe(200);
  for (const htu of [things.bound.url, `${things.bound.url}/things`, `${own()}/`, AUDIENCE]) {
    expect((await ask(dpop(await proof(htu, good)))).challenge).toContain('error="invalid_dpop_proof"');
  }
});

test('no header of the request says where this API is', async () => {
  const proven = await proof('https://evil.example/whoami', await nonce());
  const forged = { 'X-Forwarded-Host': 'evil.example', 'X-Forwarded-Proto': 'https', Forwarded: 'host=evil.example' };
  expect((await ask({ ...dpop(proven), ...forged })).challenge).toContain('error="invalid_dpop_proof"');
});

test('a bound token as Bearer is refused under the DPoP scheme', async () => {
  const answer = await ask({ Authorization: `Bearer ${token}` });
  expect([answer.status, answer.body.error]).toEqual([401, 'dpop_invalid']);
  expect(answer.challenge).toMatch(/^DPoP .*error="invalid_token"/);
});

test('a bound token without the scope is told so under the DPoP scheme', async () => {
  const narrow = await issuer.token({ scope: '', cnf: { jkt: key.jkt } });
  const proven = await proof(own(), await nonce(), { token: narrow });
  const answer = await ask({ Authorization: `DPoP ${narrow}`, DPoP: proven });
  expect([answer.status, answer.challenge.slice(0, 5)]).toEqual([403, 'DPoP ']);
  expect(answer.challenge).toContain('error="insufficient_scope"');
});

test('a page of an allowed origin may read the nonce', async () => {
  const answer = await ask({ ...dpop(await proof(own())), Origin: 'https://console.example' });
  expect(answer.exposed.split(',').map((name) => name.trim())).toContain('DPoP-Nonce');
});
