import { tokenCache, type AccessToken } from './token-cache.js';

function cacheAt(clock: { now: number }, lifeMs = 300_000) {
  const asked: string[] = [];
  const fetchToken = async (resource: string, scopes: readonly string[]): Promise<AccessToken> => {
    asked.push(`${resource} ${scopes.join(' ')}`);
    return { value: `token-${asked.length}`, expiresAt: clock.now + lifeMs };
  };
  return { tokenFor: tokenCache(fetchToken, () => clock.now), asked };
}

test('a token is asked for once per resource and set of scopes, in whatever order they are named', async () => {
  const { tokenFor, asked } = cacheAt({ now: 0 });
  expect(await tokenFor('a', ['x', 'y'])).toBe('token-1');
  expect(await tokenFor('a', ['y', 'x'])).toBe('token-1');
  expect(await tokenFor('a', ['x'])).toBe('token-2');
  expect(await tokenFor('b', ['x'])).toBe('token-3');
  expect(asked).toEqual(['a x y', 'a x', 'b x']);
});

test('a token is asked for anew half a minute before it runs out', async () => {
  const clock = { now: 0 };
  const { tokenFor } = cacheAt(clock, 300_000);
  await tokenFor('a', []);
  clock.now = 269_999;
  expect(await tokenFor('a', [])).toBe('token-1');
  clock.now = 270_000;
  expect(await tokenFor('a', [])).toBe('token-2');
});

test('two who ask at once share one request', async () => {
  const { tokenFor, asked } = cacheAt({ now: 0 });
  expect(await Promise.all([tokenFor('a', []), tokenFor('a', [])])).toEqual(['token-1', 'token-1']);
  expect(asked).toHaveLength(1);
});

test('a refusal is not kept', async () => {
  let refuse = true;
  const tokenFor = tokenCache(
    async () => {
      if (refuse) throw new Error('no');
      return { value: 'yes', expiresAt: Infinity };
    },
    () => 0,
  );
  await expect(tokenFor('a', [])).rejects.toThrow('no');
  refuse = false;
  expect(await tokenFor('a', [])).toBe('yes');
});
