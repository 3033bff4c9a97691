import type { SigningKeys, StoredKey, StoredKeyChange } from './signing-keys.js';

const BEGIN = Date.UTC(2026, 0, 1);
const key = (kid: string, more: Partial<StoredKey> = {}): StoredKey => ({
  kid,
  alg: 'ES256',
  state: 'active',
  publicJwk: { kty: 'EC', crv: 'P-256', x: 'x', y: 'y', kid },
  sealed: `sealed ${kid}`,
  notBefore: BEGIN,
  notAfter: undefined,
  ...more,
});
const change = (more: Partial<StoredKeyChange>): StoredKeyChange => ({ add: [], move: [], remove: [], ...more });
const yes = () => Promise.resolve();

/** What every store of signing keys does; `open` gives one that is empty. */
export function signingKeysContract(open: () => Promise<SigningKeys>): void {
  test('of several who make the first key at once, one key is kept', async () => {
    const keys = await open();
    expect(await keys.list()).toEqual([]);
    const all = await Promise.all(
      ['a', 'b', 'c', 'd'].map((kid) =>
        keys.change((stored) => (stored.length === 0 ? change({ add: [key(kid)] }) : undefined), yes),
      ),
    );
    const kept = await keys.list();
    expect(kept).toEqual([key(kept[0]?.kid ?? '')]);
    expect(all).toEqual([kept, kept, kept, kept]);
  }, 60_000);

  test('keys are removed, moved and added in one step, and listed in the order of their states', async () => {
    const keys = await open();
    const first = [key('a1'), key('n1', { state: 'next' }), key('e1', { alg: 'EdDSA', state: 'next' })];
    await keys.change(() => change({ add: [...first, key('r0', { state: 'retiring', notAfter: BEGIN })] }), yes);
    const after = await keys.change(
      () =>
        change({
          remove: ['r0'],
          move: [
            { kid: 'a1', state: 'retiring', notBefore: BEGIN, notAfter: BEGIN + 9 },
            { kid: 'n1', state: 'active', notBefore: BEGIN + 5, notAfter: undefined },
          ],
          add: [key('n2', { state: 'next', notBefore: BEGIN + 7 })],
        }),
      yes,
    );
    expect(after).toEqual([
      key('n1', { notBefore: BEGIN + 5 }),
      key('e1', { alg: 'EdDSA', state: 'next' }),
      key('n2', { state: 'next', notBefore: BEGIN + 7 }),
      key('a1', { state: 'retiring', notAfter: BEGIN + 9 }),
    ]);
    expect(await keys.list()).toEqual(after);
  });

  test('of ten who rotate at once, one does, and the others see what it did', async () => {
    const keys = await open();
    await keys.change(() => change({ add: [key('a'), key('n0', { state: 'next' })] }), yes);
    let rotations = 0;
    const rotate = (name: string) =>
      keys.change(
        (stored) => {
          const at = (state: string) => stored.find((each) => each.state === state)?.kid ?? '';
          if (at('next') !== 'n0') return undefined;
          return change({
            move: [
              { kid: at('active'), state: 'retiring', notBefore: BEGIN, notAfter: BEGIN },
              { kid: at('next'), state: 'active', notBefore: BEGIN, notAfter: undefined },
            ],
            add: [key(name, { state: 'next' })],
          });
        },
        async () => void (rotations += 1),
      );
    await Promise.all(Array.from({ length: 10 }, (_, at) => rotate(`next-${at}`)));
    expect([rotations, (await keys.list()).length]).toEqual([1, 3]);
  });

  test('nothing changes when that cannot be put on record, or when the decision fails', async () => {
    const keys = await open();
    const full = () => Promise.reject(new Error('full'));
    await expect(keys.change(() => change({ add: [key('a')] }), full)).rejects.toThrow('full');
    const wrong = (): never => {
      throw new Error('wrong');
    };
    await expect(keys.change(wrong, yes)).rejects.toThrow('wrong');
    expect(await keys.list()).toEqual([]);
  });

  test.each(['active', 'next'] as const)('an algorithm never has two %s keys', async (state) => {
    const keys = await open();
    await keys.change(() => change({ add: [key('one', { state }), key('other', { state, alg: 'RS256' })] }), yes);
    await expect(keys.change(() => change({ add: [key('two', { state })] }), yes)).rejects.toThrow();
    expect((await keys.list()).length).toBe(2);
  });

  test('a seal is replaced only if nobody else did', async () => {
    const keys = await open();
    await keys.change(() => change({ add: [key('a')] }), yes);
    await keys.reseal('a', 'sealed a', 'new');
    await keys.reseal('a', 'sealed a', 'newer');
    expect((await keys.list()).map(({ sealed }) => sealed)).toEqual(['new']);
  });
}
