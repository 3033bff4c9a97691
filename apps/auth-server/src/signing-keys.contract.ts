import type { SealedKey, SigningKeys } from './signing-keys.js';

const key = (kid: string): SealedKey => ({
  kid,
  alg: 'ES256',
  state: 'active',
  publicJwk: { kty: 'EC', crv: 'P-256', x: 'x', y: 'y', kid },
  sealed: 'sealed',
  notBefore: Date.UTC(2026, 0, 1),
  notAfter: undefined,
});

/** What every store of signing keys does; it begins empty. */
export function signingKeysContract(open: () => Promise<SigningKeys>): void {
  test('of several who make the first key at once, one key is kept', async () => {
    const keys = await open();
    expect(await keys.list()).toEqual([]);
    await Promise.all(['a', 'b', 'c'].map((kid) => keys.addFirst(key(kid))));
    const kept = await keys.list();
    expect(kept).toHaveLength(1);
    expect(kept[0]).toEqual(key(kept[0]?.kid ?? ''));
    await keys.addFirst(key('d'));
    expect(await keys.list()).toEqual(kept);
  }, 60_000);
}
