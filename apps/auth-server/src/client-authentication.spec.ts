import { createHmac, generateKeyPairSync, randomBytes } from 'node:crypto';
import { Secret } from '@portcullis/contract/secret';
import { base64url, SignJWT, type JWK } from 'jose';
import { askAdmin, machine } from './admin.fixture.js';
import {
  adminToken,
  assertion,
  ASSERTION_TYPE,
  basic,
  postToken,
  privateJwk,
  startGate,
  world,
  type Gate,
  type World,
} from './gate.fixture.js';

const GRANT = { grant_type: 'client_credentials' };
let of: World;
let gate: Gate;
let token: string;
let skew = 0;
const start = async () => {
  gate = await startGate(of, { now: () => Date.now() + skew });
  token = await adminToken(gate, gate.uris.authAdmin, 'admin:clients');
};
beforeAll(async () => {
  of = await world();
  await start();
}, 60_000);
afterAll(async () => {
  await gate.close();
  await gate.database.close();
});
afterEach(() => {
  skew = 0;
});

const admin = (method: string, path: string, body?: unknown) => askAdmin(gate, token, method, path, body);
const added = async (more: object = {}) => {
  const { body } = await admin('POST', '/clients', machine(more));
  return { id: String(body.client_id), secret: String(body.client_secret) };
};
const byHeader = (id: string, secret: string) => postToken(gate, GRANT, basic(id, secret));
const byBody = (id: string, secret: string) => postToken(gate, { ...GRANT, client_id: id, client_secret: secret });
const REFUSED = { status: 401, body: { error: 'invalid_client', error_description: 'client authentication failed' } };

describe('a secret', () => {
  test('is good in the way its client is registered for, and in no other', async () => {
    const [header, body] = [await added(), await added({ auth_method: 'client_secret_post' })];
    expect(await byHeader(header.id, header.secret)).toMatchObject({ status: 200 });
    expect(await byBody(header.id, header.secret)).toMatchObject(REFUSED);
    expect(await byBody(body.id, body.secret)).toMatchObject({ status: 200 });
    expect(await byHeader(body.id, body.secret)).toMatchObject(REFUSED);
    expect(await postToken(gate, { ...GRANT, client_secret: body.secret }, basic(body.id, body.secret))).toMatchObject({
      status: 400,
      body: { error: 'invalid_request' },
    });
  });

  test('of a client is no key for another, and no secret is no way in', async () => {
    const [one, other] = [await added(), await added()];
    expect(await byHeader(one.id, other.secret)).toMatchObject(REFUSED);
    expect(await postToken(gate, { ...GRANT, client_id: one.id })).toMatchObject(REFUSED);
  });

  test('that is wrong is answered as a client that is unknown, disabled or registered for something else', async () => {
    const [known, disabled] = [await added(), await added()];
    await admin('PATCH', `/clients/${disabled.id}`, { disabled: true });
    const replies = [
      await byHeader(known.id, 'wrong'),
      await byHeader('cli_unknown', known.secret),
      await byHeader(disabled.id, disabled.secret),
      await byHeader('secure-agent', 'wrong'),
      await byHeader('desktop', 'wrong'),
    ];
    const shown = replies.map(({ status, body, headers }) => [status, body, headers.get('www-authenticate')]);
    expect(new Set(shown.map((one) => JSON.stringify(one))).size).toBe(1);
    expect(replies[0]).toMatchObject(REFUSED);
    expect(replies[0]?.headers.get('www-authenticate')).toMatch(/^Basic /);
  });

  test('that is wrong is on record with the client that was named, and proves no principal', async () => {
    const { id } = await added();
    await byHeader(id, 'wrong');
    const event = gate.events.seen.at(-1);
    expect(event).toMatchObject({ data: { action: 'token.refused', clientId: id } });
    expect(event?.subject).toBeUndefined();
    expect(JSON.stringify(event)).not.toContain('wrong"');
  });
});

describe('a secret that is rotated', () => {
  const rotate = (id: string, body?: unknown) => admin('POST', `/clients/${id}/secret`, body);

  test('stays good until its time is up, beside the new one', async () => {
    const { id, secret } = await added();
    const reply = await rotate(id, { overlap_seconds: 100 });
    expect(reply).toMatchObject({
      status: 200,
      body: { client_id: id, client_secret: expect.stringMatching(/^pcs_[\w-]{43}$/) },
    });
    expect(reply.headers.get('etag')).toBe('"v2"');
    const next = String(reply.body.client_secret);
    expect(gate.events.seen.at(-1)).toMatchObject({ data: { action: 'client.secret_rotated', target: id } });
    for (const one of [secret, next]) expect(await byHeader(id, one)).toMatchObject({ status: 200 });
    expect((await admin('GET', `/clients/${id}`)).body).toHaveProperty('previous_secret_expires_at');
    skew = 101_000;
    expect(await byHeader(id, secret)).toMatchObject(REFUSED);
    expect(await byHeader(id, next)).toMatchObject({ status: 200 });
    expect(JSON.stringify(gate.events.seen) + gate.lines.join()).not.toContain(next);
  });

  test('is good no more at once where no overlap is wanted', async () => {
    const { id, secret } = await added();
    const next = String((await rotate(id, { overlap_seconds: 0 })).body.client_secret);
    expect(await byHeader(id, secret)).toMatchObject(REFUSED);
    expect(await byHeader(id, next)).toMatchObject({ status: 200 });
  });

  test('has a day unless told otherwise, and is good no more when the next rotation comes', async () => {
    const { id, secret } = await added();
    const { body } = await rotate(id);
    const left = Date.parse(String(body.previous_secret_expires_at)) - Date.now();
    expect(Math.round(left / 3_600_000)).toBe(24);
    await rotate(id);
    expect(await byHeader(id, secret)).toMatchObject(REFUSED);
    expect(await byHeader(id, String(body.client_secret))).toMatchObject({ status: 200 });
  });

  test.each([
    [{ overlap_seconds: -1 }],
    [{ overlap_seconds: 30 * 86_400 + 1 }],
    [{ overlap_seconds: '1' }],
    [{ secret: 'x' }],
  ])('with %j is 400 and stays as it is', async (body) => {
    const { id, secret } = await added();
    expect(await rotate(id, body)).toMatchObject({ status: 400 });
    expect(await byHeader(id, secret)).toMatchObject({ status: 200 });
  });

  test('takes a client that has one', async () => {
    expect(await rotate('secure-agent')).toMatchObject({ status: 400 });
    expect(await rotate('cli_unknown')).toMatchObject({ status: 404 });
  });
});

describe('a key', () => {
  const kinds = {
    ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    EdDSA: generateKeyPairSync('ed25519'),
    RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  };
  type Alg = keyof typeof kinds;
  const publicJwk = (alg: Alg) => kinds[alg].publicKey.export({ format: 'jwk' });
  const keyed = (alg: Alg) => added({ auth_method: 'private_key_jwt', jwks: { keys: [publicJwk(alg)] } });
  const present = (client_assertion: string) =>
    postToken(gate, { ...GRANT, client_assertion_type: ASSERTION_TYPE, client_assertion });
  const claims = (id: string) => {
    const now = Math.floor(Date.now() / 1000);
    return { iss: id, sub: id, aud: gate.issuer, jti: randomBytes(8).toString('hex'), iat: now, exp: now + 60 };
  };

  test.each<[Alg]>([['ES256'], ['EdDSA'], ['RS256']])('for %s proves its client, each assertion once', async (alg) => {
    const { id } = await keyed(alg);
    const jwt = await assertion(kinds[alg].privateKey.export({ format: 'jwk' }) as JWK, id, gate.issuer, {}, { alg });
    expect(await present(jwt)).toMatchObject({ status: 200 });
    expect(await present(jwt)).toMatchObject(REFUSED);
  });

  test.each<[string, (id: string) => Promise<string>]>([
    ['another key of the same kind', async (id) => assertion(await privateJwk(), id, gate.issuer)],
    [
      'the same RSA key under PS256',
      (id) => new SignJWT(claims(id)).setProtectedHeader({ alg: 'PS256' }).sign(kinds.RS256.privateKey),
    ],
    [
      'another algorithm in the header',
      (id) => new SignJWT(claims(id)).setProtectedHeader({ alg: 'ES256' }).sign(kinds.ES256.privateKey),
    ],
    [
      'the public key as the secret of an HMAC',
      async (id) => {
        const input = [{ alg: 'HS256' }, claims(id)].map((part) => base64url.encode(JSON.stringify(part))).join('.');
        const pem = kinds.RS256.publicKey.export({ type: 'spki', format: 'pem' });
        return `${input}.${createHmac('sha256', pem).update(input).digest('base64url')}`;
      },
    ],
    [
      'no signature',
      async (id) => `${[{ alg: 'none' }, claims(id)].map((part) => base64url.encode(JSON.stringify(part))).join('.')}.`,
    ],
    [
      'a key that the header brings along',
      async (id) => {
        const key = generateKeyPairSync('rsa', { modulusLength: 2048 });
        const jwk = key.publicKey.export({ format: 'jwk' }) as JWK;
        return new SignJWT(claims(id)).setProtectedHeader({ alg: 'RS256', jwk }).sign(key.privateKey);
      },
    ],
  ])('is not to be had by %s', async (_says, sign) => {
    const { id } = await keyed('RS256');
    expect(await present(await sign(id))).toMatchObject(REFUSED);
  });

  test('of a client is changed by PATCH; a client with a secret gets none', async () => {
    const { id } = await keyed('ES256');
    expect(await admin('PATCH', `/clients/${id}`, { jwks: { keys: [publicJwk('EdDSA')] } })).toMatchObject({
      status: 200,
      body: { jwks: { keys: [publicJwk('EdDSA')] } },
    });
    const sign = (alg: Alg) =>
      assertion(kinds[alg].privateKey.export({ format: 'jwk' }) as JWK, id, gate.issuer, {}, { alg });
    expect(await present(await sign('EdDSA'))).toMatchObject({ status: 200 });
    expect(await present(await sign('ES256'))).toMatchObject(REFUSED);
    const other = await added();
    expect(await admin('PATCH', `/clients/${other.id}`, { jwks: { keys: [publicJwk('EdDSA')] } })).toMatchObject({
      status: 400,
    });
  });
});

test('a hash under the older SECRET_HASH_KEY is made anew when its secret is next used', async () => {
  const [used, unused] = [await added(), await added()];
  const older = of.keys.secretHash[0];
  const newer = new Secret(randomBytes(32).toString('base64url'));
  const restart = async (...keys: [Secret, ...Secret[]]) => {
    await gate.close();
    of = { ...of, keys: { ...of.keys, secretHash: keys as never } };
    await start();
  };
  await restart(newer, older);
  expect(await byHeader(used.id, used.secret)).toMatchObject({ status: 200 });
  await restart(newer);
  expect(await byHeader(used.id, used.secret)).toMatchObject({ status: 200 });
  expect(await byHeader(unused.id, unused.secret)).toMatchObject(REFUSED);
}, 30_000);
