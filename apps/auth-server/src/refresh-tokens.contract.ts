import { REPLAY_WINDOW_MS, type Presenter } from './refresh-rotation.js';
import type { RefreshGrant, RefreshTokens } from './refresh-tokens.js';

/** A store, and what the tests do to it from outside. */
export interface OpenRefreshTokens {
  readonly tokens: RefreshTokens;
  /** a second replica on the same database */
  readonly replica: RefreshTokens;
  addGrant(grantId: string): Promise<void>;
  endGrant(grantId: string): Promise<void>;
  /** Makes a token's use so many ms older than it is. */
  age(tenant: string, token: string, ms: number): Promise<void>;
  /** what is stored of a grant's tokens */
  stored(grantId: string): Promise<readonly { readonly successor: string | null }[]>;
}

const NOW = Date.UTC(2026, 0, 1);
const T = 'r-acme';
const OWNER: Presenter = { clientId: 'c', jkt: undefined };
const WITH_KEY: Presenter = { clientId: 'c', jkt: 'k' };
let number = 0;

/** What every store of refresh tokens does. */
export function refreshTokensContract(open: () => Promise<OpenRefreshTokens>): void {
  let at: OpenRefreshTokens;
  beforeAll(async () => {
    at = await open();
  }, 60_000);
  const fresh = async (more: Partial<RefreshGrant> = {}, tenant = T) => {
    number += 1;
    const grant: RefreshGrant = {
      grantId: `grant-${number}`,
      clientId: 'c',
      accountId: 'u',
      jkt: undefined,
      payload: '{"scope":"\\u0000"}',
      expiresAt: NOW + 1000,
      ...more,
    };
    await at.addGrant(grant.grantId);
    const token = `token-${number}`;
    expect(await at.tokens.add(tenant, token, grant)).toBe(true);
    return { token, grant };
  };
  const next = () => ({ token: `next-${++number}`, payload: '{"rotations":1}' });
  const rotate = (token: string, by = OWNER, tenant = T, store = at.tokens, now = NOW) =>
    store.rotate(tenant, token, by, next(), now);
  const tokenOf = (rotation: Awaited<ReturnType<RefreshTokens['rotate']>>): string => {
    if (!('token' in rotation)) throw new Error(rotation.outcome);
    return rotation.token;
  };

  test('a token is found by its tenant until it expires, with what it stands for', async () => {
    const { token, grant } = await fresh({ jkt: 'k' });
    expect(await at.tokens.find(T, token, NOW)).toEqual({ ...grant, usedMsAgo: undefined });
    expect(await at.tokens.find(T, token, NOW + 999)).toBeDefined();
    expect(await at.tokens.find(T, token, NOW + 1000)).toBeUndefined();
    expect(await rotate(token, WITH_KEY, T, at.tokens, NOW + 1000)).toEqual({
      outcome: 'gone',
    });
  });

  test("another tenant's token is an unknown one, to look at, to use and to remove", async () => {
    const mine = await fresh();
    const theirs = await fresh({}, 'r-other');
    for (const [tenant, { token }] of [['r-other', mine] as const, [T, theirs] as const]) {
      expect(await at.tokens.find(tenant, token, NOW)).toBe(await at.tokens.find(tenant, 'nobody', NOW));
      expect(await rotate(token, OWNER, tenant)).toEqual(await rotate('nobody', OWNER, tenant));
      await at.tokens.remove(tenant, token);
    }
    await at.tokens.removeOfGrant('r-other', mine.grant.grantId);
    expect(await rotate(mine.token)).toMatchObject({ outcome: 'rotated' });
    expect(await rotate(theirs.token, OWNER, 'r-other')).toMatchObject({ outcome: 'rotated' });
  });

  test('the same token in two tenants is two tokens', async () => {
    const { token, grant } = await fresh();
    await at.addGrant('grant-twin');
    await at.tokens.add('r-other', token, { ...grant, grantId: 'grant-twin' });
    expect(await rotate(token)).toMatchObject({ outcome: 'rotated' });
    expect(await at.tokens.find('r-other', token, NOW)).toMatchObject({ grantId: 'grant-twin', usedMsAgo: undefined });
  });

  test('of fifty who use a token at once, over two replicas, one rotates it and all get the one successor', async () => {
    const { token } = await fresh();
    const all = await Promise.all(
      Array.from({ length: 50 }, (_, n) => rotate(token, OWNER, T, n % 2 ? at.replica : at.tokens)),
    );
    expect(all.filter(({ outcome }) => outcome === 'rotated')).toHaveLength(1);
    expect(all.filter(({ outcome }) => outcome === 'repeated')).toHaveLength(49);
    expect(new Set(all.map(tokenOf)).size).toBe(1);
    expect(await rotate(tokenOf(all[0]!))).toMatchObject({ outcome: 'rotated' });
  });

  test('a successor stands for the same until the same end, with the payload that came with it', async () => {
    const { token, grant } = await fresh({ jkt: 'k' });
    const successor = tokenOf(await rotate(token, WITH_KEY));
    expect(await at.tokens.find(T, successor, NOW)).toEqual({
      ...grant,
      payload: '{"rotations":1}',
      usedMsAgo: undefined,
    });
    expect((await at.tokens.find(T, token, NOW))?.usedMsAgo).toBeGreaterThanOrEqual(0);
  });

  test('within its window a used token gives its successor again, after it the family is to end', async () => {
    const { token } = await fresh();
    const successor = tokenOf(await rotate(token));
    await at.age(T, token, REPLAY_WINDOW_MS / 2);
    expect(await rotate(token)).toEqual({ outcome: 'repeated', token: successor });
    await at.age(T, token, REPLAY_WINDOW_MS);
    const why = 'its refresh token came back after it had been used';
    expect(await rotate(token)).toEqual({ outcome: 'ended', why });
    expect(await rotate(token, { clientId: 'd', jkt: undefined })).toMatchObject({ outcome: 'ended' });
  });

  test('a straggler whose successor was used too gets the newest of the chain', async () => {
    const { token } = await fresh();
    const second = tokenOf(await rotate(token));
    const third = tokenOf(await rotate(second));
    expect(await rotate(token)).toEqual({ outcome: 'repeated', token: third });
    expect(await rotate(second)).toEqual({ outcome: 'repeated', token: third });
    expect(await rotate(third)).toMatchObject({ outcome: 'rotated' });
  });

  test('who refreshes in a loop and keeps the first token gets nothing for it, and loses nothing', async () => {
    const { token } = await fresh();
    let newest = token;
    for (let turn = 0; turn < 40; turn += 1) newest = tokenOf(await rotate(newest));
    expect(await rotate(token)).toEqual({ outcome: 'gone' });
    expect(await rotate(newest)).toMatchObject({ outcome: 'rotated' });
  });

  test('a grant that has ended has no tokens: none is used and none is added', async () => {
    const { token, grant } = await fresh();
    await at.endGrant(grant.grantId);
    expect(await rotate(token)).toEqual({ outcome: 'gone' });
    expect(await at.tokens.add(T, 'too-late', grant)).toBe(false);
    expect(await at.tokens.find(T, 'too-late', NOW)).toBeUndefined();
  });

  test('no successor outlives its grant, whoever comes first', async () => {
    for (let turn = 0; turn < 5; turn += 1) {
      const { token, grant } = await fresh();
      const [rotation] = await Promise.all([rotate(token), at.endGrant(grant.grantId)]);
      await at.tokens.removeOfGrant(T, grant.grantId);
      if ('token' in rotation) expect(await at.tokens.find(T, rotation.token, NOW)).toBeUndefined();
    }
  });

  test('what is removed is gone, alone or with its grant', async () => {
    const [one, family] = [await fresh(), await fresh()];
    const successor = tokenOf(await rotate(family.token));
    await at.tokens.remove(T, one.token);
    await at.tokens.removeOfGrant(T, family.grant.grantId);
    for (const token of [one.token, family.token, successor])
      expect(await at.tokens.find(T, token, NOW)).toBeUndefined();
  });

  test('no token is stored, and a successor only until its window is over', async () => {
    const { token, grant } = await fresh({ expiresAt: NOW + 1e9 });
    const successor = tokenOf(await rotate(token));
    const seals = async () => (await at.stored(grant.grantId)).filter((row) => row.successor !== null).length;
    expect(JSON.stringify(await at.stored(grant.grantId))).not.toMatch(new RegExp(`${token}\\b|${successor}\\b`));
    await at.tokens.dropSeals();
    expect(await seals()).toBe(1);
    await at.age(T, token, 2 * REPLAY_WINDOW_MS);
    await at.tokens.dropSeals();
    expect(await seals()).toBe(0);
    expect(await rotate(token)).toMatchObject({ outcome: 'ended' });
  });

  test('sweeping takes what has expired and leaves the rest', async () => {
    const later = NOW + 1e10;
    await at.tokens.sweep(later - 500);
    const [gone, kept] = [await fresh({ expiresAt: later }), await fresh({ expiresAt: later + 1 })];
    expect(await at.tokens.sweep(later)).toBe(1);
    expect(await at.tokens.find(T, gone.token, NOW)).toBeUndefined();
    expect(await at.tokens.find(T, kept.token, later)).toBeDefined();
  });
}
