// The issuer that all peers trust: one ES256 key, its JWKS over HTTP, and tokens and proofs made ahead of the load.
import { createHash, createPrivateKey, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { createServer } from 'node:http';
import { RESOURCE, SCOPE } from './shared.mjs';

/** Tokens in turn: people of so many agents, each a principal of its own. */
const AGENTS = 500;

export async function startIssuer() {
  const key = keyPair('bench');
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: [key.jwk] }));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${server.address().port}`;
  const token = (claims = {}, by = key) => {
    const iat = Math.floor(Date.now() / 1000);
    const who = { iss: url, aud: RESOURCE, sub: 'user-1', client_id: 'agent-1', jti: randomUUID(), tenant: 'default' };
    const all = { ...who, scope: SCOPE, ceiling: SCOPE, iat, exp: iat + 6 * 3600, ...claims };
    return jws({ alg: 'ES256', typ: 'at+jwt', kid: key.jwk.kid }, all, by.privateKey);
  };
  return {
    url,
    token,
    tokens: (count) =>
      Array.from({ length: count }, (_, i) => token({ sub: `user-${i}`, client_id: `agent-${i % AGENTS}` })),
    /** What each peer must refuse. */
    bad: () => ({
      'no token': undefined,
      'not a token': 'not.a.jwt',
      expired: token({ iat: 1_700_000_000, exp: 1_700_000_600 }),
      'for another audience': token({ aud: 'https://other.example.test/mcp' }),
      'of another issuer': token({ iss: 'https://other.example.test' }),
      'signed with another key': token({}, keyPair('bench')),
      'without the scope': token({ scope: 'ticket:create', ceiling: 'ticket:create' }),
    }),
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}

/** A client whose token is bound to its key (RFC 9449). */
export function boundClient(issuer, sub) {
  const { jwk, privateKey } = keyPair(undefined);
  const { crv, kty, x, y } = jwk;
  const jkt = sha256(JSON.stringify({ crv, kty, x, y }));
  const token = issuer.token({ sub, cnf: { jkt } });
  const head = { typ: 'dpop+jwt', alg: 'ES256', jwk: { kty, crv, x, y } };
  const of = { htm: 'POST', htu: RESOURCE, ath: sha256(token) };
  return {
    token,
    proof: (nonce) => jws(head, { ...of, jti: randomUUID(), iat: Math.floor(Date.now() / 1000), nonce }, privateKey),
  };
}

const sha256 = (text) => createHash('sha256').update(text).digest('base64url');
const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

function keyPair(kid) {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' };
  // signing with a key read from PEM is several times faster than with the generated object
  return { jwk, privateKey: createPrivateKey(privateKey.export({ format: 'pem', type: 'pkcs8' })) };
}

function jws(head, claims, key) {
  const text = `${part(head)}.${part(claims)}`;
  return `${text}.${sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}
