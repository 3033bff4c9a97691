import { createHmac, KeyObject, sign } from 'node:crypto';
import type { Rig } from './rig.fixture.js';

type Json = Record<string, unknown>;
export const encode = (value: object | string): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** What makes tokens that are good but for one thing. */
export interface Forge {
  /** the claims of a good token, over which others go; undefined takes one out */
  claims(over?: Json): Json;
  /** a JWS by the issuer's own key; `head` goes over the header of a good token */
  ours(claims?: Json | string, head?: Json): string;
  /** a JWS by a key of somebody else */
  theirs(head: Json, claims?: Json): string;
  hmac(hash: string, secret: string | Buffer, head: Json): string;
  readonly publicPem: string;
  readonly publicDer: Buffer;
  readonly theirJwk: Json;
  readonly audience: string;
  readonly issuer: string;
}

export function forgeOf(rig: Rig, theirKey: KeyObject, theirJwk: Json): Forge {
  const seconds = Math.floor(rig.now() / 1000);
  const [ourKey, publicKey] = [KeyObject.from(rig.issuer.privateKey), KeyObject.from(rig.issuer.publicKey)];
  const good = {
    iss: rig.issuer.url,
    aud: rig.mcp,
    sub: 'forged-agent',
    client_id: 'forged-agent',
    jti: 'forged',
    iat: seconds,
    exp: seconds + 600,
    scope: 'customer:read',
    ceiling: 'customer:read',
    tenant: 'default',
  };
  const HEAD = { alg: 'ES256', typ: 'at+jwt', kid: 'test-key' };
  const claims = (over: Json = {}): Json => ({ ...good, ...over });
  const input = (head: Json, body: Json | string) => `${encode({ ...HEAD, ...head })}.${encode(body)}`;
  const signed = (text: string, key: KeyObject): string =>
    `${text}.${sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
  return {
    claims,
    ours: (body = claims(), head = {}) => signed(input(head, body), ourKey),
    theirs: (head, body = claims()) => signed(input(head, body), theirKey),
    hmac: (hash, secret, head) => {
      const text = input(head, claims());
      return `${text}.${createHmac(hash, secret).update(text).digest('base64url')}`;
    },
    publicPem: publicKey.export({ type: 'spki', format: 'pem' }) as string,
    publicDer: publicKey.export({ type: 'spki', format: 'der' }),
    theirJwk,
    audience: rig.mcp,
    issuer: rig.issuer.url,
  };
}

/** base64url of an ECDSA signature as X.509 writes it, which JWS does not (RFC 7518 §3.4) */
function inDer(token: string): string {
  const [head = '', body = '', raw = ''] = token.split('.');
  const bytes = Buffer.from(raw, 'base64url');
  const part = (half: Buffer): Buffer => {
    const value = half[0]! >= 0x80 ? Buffer.concat([Buffer.from([0]), half]) : half;
    return Buffer.concat([Buffer.from([2, value.length]), value]);
  };
  const both = Buffer.concat([part(bytes.subarray(0, 32)), part(bytes.subarray(32))]);
  return `${head}.${body}.${Buffer.concat([Buffer.from([0x30, both.length]), both]).toString('base64url')}`;
}
const withPart = (token: string, at: number, part: string): string =>
  token
    .split('.')
    .map((old, index) => (index === at ? part : old))
    .join('.');
const bearer = (token: string): string[] => [`Bearer ${token}`];
const claiming =
  (over: Json) =>
  ({ ours, claims }: Forge): string[] =>
    bearer(ours(claims(over)));
const heading =
  (head: Json) =>
  ({ ours, claims }: Forge): string[] =>
    bearer(ours(claims(), head));

/** The Authorization headers that each make; every one is refused as an invalid token. */
export const BAD_TOKENS: Record<string, (forge: Forge) => string[]> = {
  'alg none in other letters, with a good signature beside it': heading({ alg: 'nOnE' }),
  'no alg': heading({ alg: undefined }),
  'an alg that is a number': heading({ alg: 7 }),
  'an alg that is a list': heading({ alg: ['ES256'] }),
  'HS256 keyed by the public key as PEM': ({ hmac, publicPem }) => bearer(hmac('sha256', publicPem, { alg: 'HS256' })),
  'HS256 keyed by the public key as DER': ({ hmac, publicDer }) => bearer(hmac('sha256', publicDer, { alg: 'HS256' })),
  'HS512 keyed by the public key': ({ hmac, publicPem }) => bearer(hmac('sha512', publicPem, { alg: 'HS512' })),
  'HS256 keyed by nothing': ({ hmac }) => bearer(hmac('sha256', '', { alg: 'HS256' })),
  'an ES256 signature that is called RS256': heading({ alg: 'RS256' }),
  'an ES256 signature that is called EdDSA': heading({ alg: 'EdDSA' }),
  'an ES256 signature that is called ES256K': heading({ alg: 'ES256K' }),
  'a signature in DER': ({ ours }) => bearer(inDer(ours())),
  'a signature of zeros (CVE-2022-21449)': ({ ours }) =>
    bearer(withPart(ours(), 2, Buffer.alloc(64).toString('base64url'))),
  'a signature that is cut short': ({ ours }) => bearer(ours().slice(0, -8)),
  'a signature with more behind it': ({ ours }) => bearer(`${ours()}AAAA`),
  'the signature of another good token': ({ ours, claims }) =>
    bearer(withPart(ours(), 2, ours(claims({ jti: 'another' })).split('.')[2]!)),
  'more scopes than were signed': ({ ours, claims }) =>
    bearer(withPart(ours(), 1, encode(claims({ scope: 'customer:read customer:delete' })))),
  'another tenant than was signed': ({ ours, claims }) =>
    bearer(withPart(ours(), 1, encode(claims({ tenant: 'other' })))),
  'its own key in jwk': ({ theirs, theirJwk }) => bearer(theirs({ jwk: theirJwk, kid: undefined })),
  'its own key in jwk under our kid': ({ theirs, theirJwk }) => bearer(theirs({ jwk: theirJwk })),
  'a place to find its key in jku': ({ theirs }) => bearer(theirs({ jku: 'https://evil.example/jwks.json' })),
  'a place to find its key in x5u': ({ theirs }) => bearer(theirs({ x5u: 'https://evil.example/cert.pem' })),
  'a certificate in x5c': ({ theirs }) => bearer(theirs({ x5c: ['MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A'] })),
  'the key of somebody else and no kid': ({ theirs }) => bearer(theirs({ kid: undefined })),
  'a kid that is a path': ({ theirs }) => bearer(theirs({ kid: '../../../../dev/null' })),
  'a kid that is SQL': ({ theirs }) => bearer(theirs({ kid: "x' UNION SELECT 'key" })),
  'a kid that is an object': ({ theirs }) => bearer(theirs({ kid: { $ne: null } })),
  'a kid that every object has': ({ theirs }) => bearer(theirs({ kid: '__proto__' })),
  'a critical header that nobody knows': heading({ crit: ['urn:example:x'], 'urn:example:x': true }),
  'an empty list of critical headers': heading({ crit: [] }),
  'a payload that is not encoded (RFC 7797)': ({ ours, claims }) =>
    bearer(ours(claims(), { b64: false, crit: ['b64'] })),
  'the type of a logout token': heading({ typ: 'logout+jwt' }),
  'the type of a DPoP proof': heading({ typ: 'dpop+jwt' }),
  'the type of an authorization request': heading({ typ: 'oauth-authz-req+jwt' }),
  'the type of any JWT as a media type': heading({ typ: 'application/jwt' }),
  'a type that is a list': heading({ typ: ['at+jwt'] }),
  'a header that is no JSON': ({ ours }) => bearer(withPart(ours(), 0, encode('{"alg":"ES256"'))),
  'a header that is null': ({ ours }) => bearer(withPart(ours(), 0, encode('null'))),
  'claims that are no JSON': ({ ours }) => bearer(ours('{"iss":')),
  'claims that are a list': ({ ours, claims }) => bearer(ours(JSON.stringify([claims()]))),
  'claims that are null': ({ ours }) => bearer(ours('null')),
  'an expiry without end': ({ ours, claims }) =>
    bearer(ours(JSON.stringify(claims()).replace(/"exp":\d+/, '"exp":1e999'))),
  'an expiry that is null': claiming({ exp: null }),
  'an expiry below zero': claiming({ exp: -1 }),
  'an issue time in the future': ({ ours, claims }) => bearer(ours(claims({ iat: Number(claims()['exp']) }))),
  'no issue time': claiming({ iat: undefined }),
  'a beginning that is a text': claiming({ nbf: '0' }),
  'no issuer': claiming({ iss: undefined }),
  'our issuer with a slash': ({ ours, claims, issuer }) => bearer(ours(claims({ iss: `${issuer}/` }))),
  'our issuer in a list': ({ ours, claims, issuer }) => bearer(ours(claims({ iss: [issuer] }))),
  'no audience': claiming({ aud: undefined }),
  'our audience with a slash': ({ ours, claims, audience }) => bearer(ours(claims({ aud: `${audience}/` }))),
  'the origin of our audience': ({ ours, claims, audience }) => bearer(ours(claims({ aud: new URL(audience).origin }))),
  'our audience in other letters': ({ ours, claims, audience }) =>
    bearer(ours(claims({ aud: audience.replace('http', 'HTTP') }))),
  'our audience twice': ({ ours, claims, audience }) => bearer(ours(claims({ aud: [audience, audience] }))),
  'an audience that is an object': claiming({ aud: { length: 1 } }),
  'no subject': claiming({ sub: undefined }),
  'an empty subject': claiming({ sub: '' }),
  'a subject without end': claiming({ sub: 'x'.repeat(256) }),
  'no client': claiming({ client_id: undefined }),
  'a client that is a number': claiming({ client_id: 12345 }),
  'no id': claiming({ jti: undefined }),
  'no tenant': claiming({ tenant: undefined }),
  'a list of tenants': claiming({ tenant: ['default'] }),
  'scopes as a list': claiming({ scope: ['customer:read'] }),
  'a ceiling without end': claiming({ ceiling: 'x'.repeat(4097) }),
  'a sign-in at a text': claiming({ auth_time: 'yesterday' }),
  'the thumbprint of a certificate (RFC 8705)': claiming({ cnf: { 'x5t#S256': 'k'.repeat(43) } }),
  'a key that it is bound to in full': ({ ours, claims, theirJwk }) => bearer(ours(claims({ cnf: { jwk: theirJwk } }))),
  'a binding that is null': claiming({ cnf: null }),
  '9 KB of claims, all of them signed': claiming({ filler: 'x'.repeat(9_000) }),
  'four parts': ({ ours }) => bearer(`${ours()}.${encode('{}')}`),
  'the five parts of a JWE': ({ ours }) => bearer(`${ours()}.${encode('{}')}.${encode('tag')}`),
  'no payload': ({ ours }) => bearer(withPart(ours(), 1, '')),
  'a JWS as JSON': ({ ours }) => {
    const [head, payload, signature] = ours().split('.');
    return bearer(JSON.stringify({ protected: head, payload, signature }));
  },
  'padding behind a good token': ({ ours }) => bearer(`${ours()}==`),
  'a blank inside': ({ ours }) => bearer(ours().replace('.', ' .')),
  'two good tokens in one header': ({ ours }) => [`Bearer ${ours()}, Bearer ${ours()}`],
  'a good token behind a comma': ({ ours }) => [`Bearer x, Bearer ${ours()}`],
  'a good token behind a tab': ({ ours }) => [`Bearer\t${ours()}`],
  'a good token under a scheme of its own': ({ ours }) => [`JWT ${ours()}`],
  'a good token without a scheme': ({ ours }) => [ours()],
  'a good token, and another scheme in a header of its own': ({ ours }) => [...bearer(ours()), 'Basic YTpi'],
};
