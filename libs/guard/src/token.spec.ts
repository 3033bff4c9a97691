import { Refusal, REFUSALS, type RefusalCode } from '@portcullis/contract/refusals';
import { principalId } from '@portcullis/contract/ids';
import { generateKeyPairSync, sign } from 'node:crypto';
import { SIGNING_ALGORITHMS, type SigningAlgorithm } from '@portcullis/scopes/algorithms';
import fc from 'fast-check';
import {
  CompactSign,
  exportJWK,
  exportSPKI,
  generateKeyPair,
  importJWK,
  SignJWT,
  UnsecuredJWT,
  type CryptoKey,
  type JWTPayload,
} from 'jose';
import { localKeys } from './jwks.http.js';
import { presentedToken, verifyAccessToken, type TokenRules } from './token.js';

const ISSUER = 'https://auth.example';
const AUDIENCE = 'https://mcp.example/mcp';
const NOW = 1_800_000_000;

let publicKey: CryptoKey;
let privateKey: CryptoKey;
let rules: TokenRules;
beforeAll(async () => {
  ({ publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true }));
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' };
  rules = { issuer: ISSUER, audience: AUDIENCE, keys: localKeys({ keys: [jwk] }), now: () => NOW * 1000 };
});

const CLAIMS = {
  iss: ISSUER,
  aud: AUDIENCE,
  sub: 'client-1',
  client_id: 'client-1',
  jti: 'jti-1',
  iat: NOW - 60,
  exp: NOW + 840,
  scope: 'customer:read unknown:scope',
  tenant: 'acme',
  ceiling: 'customer:read ticket:read',
};
const HEADER = { alg: 'ES256', typ: 'at+jwt', kid: 'k1' };
const token = (claims: object = {}, header: object = {}, key = privateKey): Promise<string> =>
  new SignJWT({ ...CLAIMS, ...claims } as JWTPayload).setProtectedHeader({ ...HEADER, ...header }).sign(key);
const codeOf = async (work: () => unknown): Promise<RefusalCode | 'no refusal'> => {
  try {
    await work();
    return 'no refusal';
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return error.code;
  }
};

describe('a token of an issuer that is not ours', () => {
  const foreign = (claims: object) =>
    token(claims).then((one) => verifyAccessToken(one, { ...rules, foreignTenant: 'team' }));

  test('needs no claim of ours, and says nothing of a ceiling', async () => {
    const caller = await foreign({ tenant: undefined, ceiling: undefined, scope: 'notes:read' });
    expect(caller).toMatchObject({ tenant: 'team', clientId: 'client-1', ceiling: undefined });
    expect(caller.scopes).toEqual(new Set(['notes:read']));
    expect(caller.principal).toBe(principalId('team', 'client-1'));
  });

  test('cannot name a tenant, a ceiling, a task, a grant or an actor', async () => {
    const caller = await foreign({
      tenant: 'other',
      ceiling: 'x',
      task: 'tsk_1',
      grant_id: 'g',
      actor: 'local-admin/0',
    });
    expect(caller).toMatchObject({ tenant: 'team', ceiling: undefined, task: undefined, grantId: undefined });
    expect(caller.actor).toBe('client-1');
  });

  test('may touch as many customers as rules say, whatever it says itself; one of ours says it first', async () => {
    const customerBudget = { perTask: 3, perHour: 4 };
    const budgets = async (claims: object, more: object) => {
      const caller = await verifyAccessToken(await token(claims), { ...rules, customerBudget, ...more });
      return [caller.customersPerTask, caller.customersPerHour];
    };
    const claims = { customers_per_task: 100, customers_per_hour: 200 };
    expect(await budgets(claims, { foreignTenant: 'team' })).toEqual([3, 4]);
    expect(await budgets(claims, {})).toEqual([100, 200]);
    expect(await budgets({}, {})).toEqual([3, 4]);
  });

  test('is for one audience, as a text or as an array of one', async () => {
    expect(await codeOf(() => foreign({ aud: [AUDIENCE] }))).toBe('no refusal');
    expect(await codeOf(() => foreign({ aud: [AUDIENCE, 'https://other.example'] }))).toBe('token_invalid');
    expect(await codeOf(() => foreign({ aud: 'https://other.example' }))).toBe('token_invalid');
  });

  test('is refused like any other where the issuer is ours', async () => {
    expect(await codeOf(async () => verifyAccessToken(await token({ ceiling: undefined }), rules))).toBe(
      'token_invalid',
    );
  });
});

describe('the Authorization header', () => {
  test.each([
    ['Bearer abc.def.ghi', 'abc.def.ghi'],
    ['bearer abc', 'abc'],
    ['BEARER   a-b_c~d+e/f==', 'a-b_c~d+e/f=='],
  ])('%j carries the token %j as Bearer', (header, token) =>
    expect(presentedToken([header])).toEqual({ scheme: 'Bearer', token }),
  );

  test.each([['DPoP abc.def'], ['dpop abc.def'], ['DPOP   abc.def']])('%j carries it under the DPoP scheme', (header) =>
    expect(presentedToken([header])).toEqual({ scheme: 'DPoP', token: 'abc.def' }),
  );

  test.each<[string, string[], RefusalCode]>([
    ['none', [], 'token_missing'],
    ['two', ['Bearer a', 'Bearer a'], 'token_invalid'],
    ['an empty one', [''], 'token_invalid'],
    ['no token', ['Bearer '], 'token_invalid'],
    ['two tokens', ['Bearer a b'], 'token_invalid'],
    ['two joined by a comma', ['Bearer a, Bearer b'], 'token_invalid'],
    ['Basic', ['Basic dXNlcjpwYXNz'], 'token_invalid'],
    ['a control character', ['Bearer a\u0000b'], 'token_invalid'],
    ['a token of 8193 characters', [`Bearer ${'a'.repeat(8193)}`], 'token_invalid'],
    ['DPoP and no token', ['DPoP'], 'token_invalid'],
    ['two schemes', ['Bearer a', 'DPoP a'], 'token_invalid'],
  ])('with %s is a refusal', async (_what, headers, code) =>
    expect(await codeOf(() => presentedToken(headers))).toBe(code),
  );
});

describe('a good token', () => {
  test('says who calls, with all its scopes', async () => {
    expect(await verifyAccessToken(await token({ task: 'tsk_1', auth_time: NOW - 90 }), rules)).toEqual({
      tenant: 'acme',
      allTenants: false,
      principal: principalId('acme', 'client-1'),
      clientId: 'client-1',
      sub: undefined,
      actor: 'client-1',
      scopes: new Set(['customer:read', 'unknown:scope']),
      ceiling: new Set(['customer:read', 'ticket:read']),
      task: 'tsk_1',
      taskCustomer: undefined,
      customersPerTask: 10,
      customersPerHour: 60,
      authTime: NOW - 90,
      acr: undefined,
      tokenId: 'jti-1',
      grantId: undefined,
      jkt: undefined,
      issuedAt: 1799999940,
      expiresAt: NOW + 840,
    });
  });

  test('of a person makes another principal than the machine', async () => {
    const caller = await verifyAccessToken(await token({ sub: 'user-1' }), rules);
    expect([caller.sub, caller.principal]).toEqual(['user-1', principalId('acme', 'client-1', 'user-1')]);
  });

  test.each([
    ['with a scope claim left out', { scope: undefined }],
    ['that ended less than 30 s ago, since clocks differ', { exp: NOW - 29 }],
    ['that begins in less than 30 s', { nbf: NOW + 29 }],
    ['that was issued less than 30 s from now', { iat: NOW + 29 }],
  ])('%s is good', async (_what, claims) =>
    expect(await codeOf(async () => verifyAccessToken(await token(claims), rules))).toBe('no refusal'),
  );
});

test('the whole media type is a type too, in letters of any size (RFC 9068 §4, RFC 7515 §4.1.9)', async () => {
  for (const typ of ['application/at+jwt', 'AT+JWT'])
    expect(await codeOf(async () => verifyAccessToken(await token({}, { typ }), rules))).toBe('no refusal');
});

test('a key that a good token brings along, or says where to find, is not looked at', async () => {
  const jwk = await exportJWK((await generateKeyPair('ES256', { extractable: true })).publicKey);
  for (const header of [
    { jwk },
    { jku: 'https://evil.example/jwks' },
    { x5u: 'https://evil.example/x' },
    { x5c: ['MIIB'] },
  ])
    expect(await codeOf(async () => verifyAccessToken(await token({}, header), rules))).toBe('no refusal');
});

describe('the three algorithms', () => {
  const made = async (alg: string) => {
    const pair = await generateKeyPair(alg, { extractable: true });
    return { ...pair, alg, jwk: { ...(await exportJWK(pair.publicKey)), kid: alg, use: 'sig' } };
  };
  const outcome = async (jwt: string, keys: object[]) =>
    codeOf(() => verifyAccessToken(jwt, { ...rules, keys: localKeys({ keys: keys as never }) }));

  test.each(SIGNING_ALGORITHMS)('%s is good when its key is published for it', async (alg) => {
    const { privateKey, jwk } = await made(alg);
    expect(await outcome(await token({}, { alg, kid: alg }, privateKey), [{ ...jwk, alg }])).toBe('no refusal');
  });

  test('rules may take fewer', async () => {
    const { privateKey, jwk } = await made('RS256');
    const keys = localKeys({ keys: [{ ...jwk, alg: 'RS256' }] });
    const signed = await token({}, { alg: 'RS256', kid: 'RS256' }, privateKey);
    const under = (algorithms?: readonly SigningAlgorithm[]) =>
      codeOf(() => verifyAccessToken(signed, { ...rules, keys, ...(algorithms && { algorithms }) }));
    expect([await under(), await under(['RS256']), await under(['ES256', 'EdDSA'])]).toEqual([
      'no refusal',
      'no refusal',
      'token_invalid',
    ]);
  });

  test('a key serves the algorithm it was published for and no other, whatever the header says', async () => {
    const [es256, rs256, eddsa] = await Promise.all(['ES256', 'RS256', 'EdDSA'].map(made));
    const keys = [es256, rs256, eddsa].map((key) => ({ ...key?.jwk, alg: key?.alg }));
    const other = { alg: 'PS256', kid: 'RS256' };
    const pss = await importJWK(await exportJWK(rs256!.privateKey), 'PS256');
    expect(await outcome(await token({}, other, pss as CryptoKey), keys)).toBe('token_invalid');
    const [, body, signature] = (await token({}, { alg: 'ES256', kid: 'ES256' }, es256!.privateKey)).split('.');
    for (const alg of ['RS256', 'EdDSA', 'ES384', 'ES256K', 'HS256', 'Ed25519', 'none', 'NONE', '']) {
      for (const kid of ['ES256', 'RS256', 'EdDSA', undefined]) {
        const head = Buffer.from(JSON.stringify({ ...HEADER, alg, kid })).toString('base64url');
        expect(await outcome(`${head}.${body}.${signature}`, keys)).toBe('token_invalid');
      }
    }
  });

  test('a key that is published with no word on its use still does not serve ES256K or an HMAC', async () => {
    const { publicKey: spki, jwk } = await made('ES256');
    const secrets = [await exportSPKI(spki), JSON.stringify(jwk), Buffer.from(jwk.x ?? '', 'base64url')];
    for (const secret of secrets) {
      const forged = new SignJWT(CLAIMS).setProtectedHeader({ ...HEADER, alg: 'HS256', kid: 'ES256' });
      expect(await outcome(await forged.sign(Buffer.from(secret)), [jwk])).toBe('token_invalid');
    }
    const pair = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
    const k256 = { ...pair.publicKey.export({ format: 'jwk' }), kid: 'k', alg: 'ES256K' };
    const head = Buffer.from(JSON.stringify({ ...HEADER, alg: 'ES256K', kid: 'k' })).toString('base64url');
    const input = `${head}.${Buffer.from(JSON.stringify(CLAIMS)).toString('base64url')}`;
    const signed = sign('sha256', Buffer.from(input), { key: pair.privateKey, dsaEncoding: 'ieee-p1363' });
    expect(await outcome(`${input}.${signed.toString('base64url')}`, [k256])).toBe('token_invalid');
  });
});

describe('a token is invalid', () => {
  test.each<[string, object, object]>([
    ['when it expired', { exp: NOW - 31 }, {}],
    ['when it is not yet valid', { nbf: NOW + 31 }, {}],
    ['when it was issued in the future', { iat: NOW + 31 }, {}],
    ['when its expiry is a text', { exp: String(NOW + 60) }, {}],
    ['when its issue time is a text', { iat: String(NOW) }, {}],
    ['when it begins at a text', { nbf: String(NOW) }, {}],
    ['without an expiry', { exp: undefined }, {}],
    ['without an issue time', { iat: undefined }, {}],
    ['with an expiry that is no number', { exp: 'tomorrow' }, {}],
    ['from another issuer', { iss: 'https://evil.example' }, {}],
    ['from an issuer with a trailing slash', { iss: `${ISSUER}/` }, {}],
    ['for another audience', { aud: 'https://auth.example/admin' }, {}],
    ['for our audience and one more', { aud: [AUDIENCE, 'https://auth.example/admin'] }, {}],
    ['without an audience', { aud: undefined }, {}],
    ['as an id token', {}, { typ: 'JWT' }],
    ['without a type', {}, { typ: undefined }],
    ['with an unknown key', {}, { kid: 'k2' }],
    ['without a subject', { sub: undefined }, {}],
    ['without a client', { client_id: undefined }, {}],
    ['without an id', { jti: undefined }, {}],
    ['with an id of 256 characters', { jti: 'x'.repeat(256) }, {}],
    ['without a tenant', { tenant: undefined }, {}],
    ['with a tenant that is none', { tenant: 'Acme/../default' }, {}],
    ['without a ceiling', { ceiling: undefined }, {}],
    ['with scopes as a list', { scope: ['customer:read'] }, {}],
  ])('%s', async (_what, claims, header) => {
    expect(await codeOf(async () => verifyAccessToken(await token(claims, header), rules))).toBe('token_invalid');
  });

  test('with alg none', async () => {
    const unsecured = new UnsecuredJWT(CLAIMS).encode();
    const typed = `${btoa(JSON.stringify({ alg: 'none', typ: 'at+jwt' })).replaceAll('=', '')}.${unsecured.split('.')[1]}.`;
    for (const each of [unsecured, typed])
      expect(await codeOf(() => verifyAccessToken(each, rules))).toBe('token_invalid');
  });

  test('with HS256 keyed by our public key', async () => {
    const secret = new TextEncoder().encode(await exportSPKI(publicKey));
    const forged = await new SignJWT(CLAIMS).setProtectedHeader({ ...HEADER, alg: 'HS256' }).sign(secret);
    expect(await codeOf(() => verifyAccessToken(forged, rules))).toBe('token_invalid');
  });

  test('signed by another key under our kid, also one it brings along', async () => {
    const other = await generateKeyPair('ES256', { extractable: true });
    const jwk = await exportJWK(other.publicKey);
    for (const header of [{}, { jwk }, { jku: 'https://evil.example/jwks' }]) {
      expect(await codeOf(async () => verifyAccessToken(await token({}, header, other.privateKey), rules))).toBe(
        'token_invalid',
      );
    }
  });

  test.each(['ES384', 'PS256', 'RS512', 'EdDSA'])('with an %s signature of a key that is none of ours', async (alg) => {
    const other = await generateKeyPair(alg);
    expect(await codeOf(async () => verifyAccessToken(await token({}, { alg }, other.privateKey), rules))).toBe(
      'token_invalid',
    );
  });

  test('with a critical header we do not know, or a payload that is no object', async () => {
    const [head, body, signature] = (await token()).split('.') as [string, string, string];
    const crit = btoa(JSON.stringify({ ...HEADER, crit: ['x'], x: 1 })).replaceAll('=', '');
    const text = await new CompactSign(new TextEncoder().encode('"hello"')).setProtectedHeader(HEADER).sign(privateKey);
    for (const each of [`${crit}.${body}.${signature}`, text, `${head}.${body}`, `${head}.${body}.`, '..', head]) {
      expect(await codeOf(() => verifyAccessToken(each, rules))).toBe('token_invalid');
    }
  });

  test('in any other spelling of its signature: padding, or the four bits of the last letter that are nothing', async () => {
    const good = await token();
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const last = letters.indexOf(good.at(-1)!);
    for (const each of [`${good}=`, `${good}==`, `${good}====`, `${good.slice(0, -1)}${letters[last ^ 1]}`])
      expect(await codeOf(() => verifyAccessToken(each, rules))).toBe('token_invalid');
  });

  test('when it is bound in a way that we cannot check', async () => {
    for (const cnf of [{ jkt: 'x' }, {}, null, false, { 'x5t#S256': 'k'.repeat(43) }]) {
      expect(await codeOf(async () => verifyAccessToken(await token({ cnf }), rules))).toBe('token_invalid');
    }
  });

  test('whatever it is made of, with any byte changed, and never an error of ours', async () => {
    const good = await token();
    await fc.assert(
      fc.asyncProperty(fc.nat(good.length - 1), fc.constantFrom(...'AZaz09-_.=~'), async (at, letter) => {
        const changed = good.slice(0, at) + letter + good.slice(at + 1);
        fc.pre(changed !== good);
        expect(await codeOf(() => verifyAccessToken(changed, rules))).toBe('token_invalid');
      }),
    );
    const part = fc.oneof(fc.json(), fc.string()).map((text) => Buffer.from(text).toString('base64url'));
    await fc.assert(
      fc.asyncProperty(part, part, part, async (...parts) => {
        expect(await codeOf(() => verifyAccessToken(parts.join('.'), rules))).toBe('token_invalid');
      }),
    );
  });
});

test('keys that cannot be had say nothing about the token: 503', async () => {
  const refused = verifyAccessToken(await token(), {
    ...rules,
    keys: () => Promise.reject(new Error('connect ECONNREFUSED')),
  });
  await expect(refused).rejects.toMatchObject({ code: 'overloaded', facts: { retryAfterMs: 1000 } });
});

test('what is wrong with a token stays inside; its owner reads the words of the row', async () => {
  const error = await verifyAccessToken(await token({ exp: 1 }), rules).catch((thrown: Refusal) => thrown);
  expect(error).toMatchObject({
    message: REFUSALS.token_invalid.says,
    facts: {},
    detail: expect.stringContaining('exp'),
  });
});
