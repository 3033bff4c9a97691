import { SIGNING_ALGORITHMS } from '@portcullis/scopes/algorithms';
import { calculateJwkThumbprint, compactVerify, importJWK } from 'jose';
import { KeyCannotBeOpened, type Signers } from './signer.js';

/** What every place for private keys does. */
export function signersContract(open: () => Signers | Promise<Signers>): void {
  test.each(SIGNING_ALGORITHMS)(
    'an %s key signs what its public half verifies (RFC 7515), again after it was put away',
    async (alg) => {
      const signers = await open();
      const made = await signers.make(alg);
      expect(made).toMatchObject({
        alg,
        kid: await calculateJwkThumbprint(made.publicJwk),
        publicJwk: { kid: made.kid },
      });
      const [one, again] = await Promise.all([signers.open(made), (await open()).open(structuredClone(made))]);
      for (const signer of [one, again]) {
        expect(signer).toMatchObject({ kid: made.kid, alg, publicJwk: made.publicJwk });
        const input = [{ alg, kid: made.kid }, { hello: 'world' }]
          .map((part) => encoded(JSON.stringify(part)))
          .join('.');
        const signature = await signer.sign(new TextEncoder().encode(input));
        const jws = `${input}.${Buffer.from(signature).toString('base64url')}`;
        const key = await importJWK(made.publicJwk, alg);
        expect((await compactVerify(jws, key, { algorithms: [alg] })).protectedHeader.kid).toBe(made.kid);
      }
    },
  );

  test.each(SIGNING_ALGORITHMS)(
    'of an %s key only the public half is ever seen, and no two are the same',
    async (alg) => {
      const signers = await open();
      const [a, b] = await Promise.all([signers.make(alg), signers.make(alg)]);
      expect(a.kid).not.toBe(b.kid);
      const { kty, crv, x, y, n, e, kid, ...more } = a.publicJwk as Record<string, unknown>;
      expect([{ EC: [crv, x, y], OKP: [crv, x], RSA: [n, e] }[String(kty)]?.every(Boolean), kid, more]).toEqual([
        true,
        a.kid,
        {},
      ]);
      if (kty === 'RSA') expect(Buffer.from(String(n), 'base64url').length).toBeGreaterThanOrEqual(256);
      expect(Object.keys(await signers.open(a)).sort()).toEqual(['alg', 'kid', 'publicJwk', 'sign']);
    },
  );

  test.each([
    ['nothing', ''],
    ['something else', 'x.y.z'],
  ])('what was put away as %s does not open', async (_what, sealed) => {
    const signers = await open();
    const made = await signers.make('ES256');
    await expect(signers.open({ ...made, sealed })).rejects.toThrow(KeyCannotBeOpened);
  });

  test('a key does not open under the name of another', async () => {
    const signers = await open();
    const [a, b] = [await signers.make('ES256'), await signers.make('ES256')];
    await expect(signers.open({ ...b, sealed: a.sealed })).rejects.toThrow(KeyCannotBeOpened);
  });
}

const encoded = (text: string): string => Buffer.from(text).toString('base64url');
