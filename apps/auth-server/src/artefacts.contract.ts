import { artefactHash, type Artefact, type Artefacts } from './artefacts.js';

const NOW = Date.UTC(2026, 0, 1);
let number = 0;
const artefact = (more: Partial<Artefact> = {}): Artefact => ({
  kind: 'AuthorizationCode',
  idHash: artefactHash(`id-${++number}`),
  payload: '{"a":"\\u0000"}',
  grantId: undefined,
  sessionUid: undefined,
  clientId: 'c',
  accountId: undefined,
  expiresAt: NOW + 1000,
  ...more,
});

/** What every store of codes, sessions and the like does. */
export function artefactsContract(open: () => Promise<Artefacts>): void {
  let artefacts: Artefacts;
  beforeAll(async () => {
    artefacts = await open();
  }, 60_000);
  const find = ({ kind, idHash }: Artefact, now = NOW) => artefacts.find(kind, idHash, now);

  test('what was put is found by kind and id until it expires, and not after', async () => {
    const code = artefact();
    await artefacts.put(code);
    expect(await find(code)).toEqual({ payload: code.payload, consumedAt: undefined });
    expect(await find({ ...code, kind: 'Session' })).toBeUndefined();
    expect(await find(artefact())).toBeUndefined();
    expect(await find(code, NOW + 999)).toBeDefined();
    expect(await find(code, NOW + 1000)).toBeUndefined();
  });

  test('putting again overwrites, but what was used stays used', async () => {
    const code = artefact();
    await artefacts.put(code);
    await artefacts.consume(code.kind, code.idHash, NOW);
    await artefacts.put({ ...code, payload: '{}', expiresAt: NOW + 9000 });
    expect(await find(code, NOW + 5000)).toEqual({ payload: '{}', consumedAt: NOW });
  });

  test('the grants that came of a session are found while they are good, whoever else has some', async () => {
    const grant = (grantId: string) => artefact({ kind: 'Grant', grantId, idHash: artefactHash(grantId) });
    const [first, second, later] = [`g-${++number}`, `g-${++number}`, `g-${++number}`];
    for (const id of [first, second]) await artefacts.put(grant(id));
    await artefacts.put({ ...grant(later), expiresAt: NOW + 9000 });
    const [uid, other] = [`s-${++number}`, `s-${++number}`];
    await artefacts.put(artefact({ kind: 'Session', sessionUid: uid }));
    await artefacts.noteSession(first, uid);
    await artefacts.noteSession(second, other);
    await artefacts.noteSession(later, uid);
    expect([...(await artefacts.grantsOf(uid, NOW))].sort()).toEqual([first, later].sort());
    expect(await artefacts.grantsOf(other, NOW)).toEqual([second]);
    expect(await artefacts.grantsOf(uid, NOW + 1000)).toEqual([later]);
    await artefacts.removeOfGrant('Grant', later);
    expect(await artefacts.grantsOf(uid, NOW + 1000)).toEqual([]);
  });

  test('what is found to be kept is found longer than it was good at first, and no shorter', async () => {
    const pushed = artefact({ kind: 'PushedAuthorizationRequest' });
    const { kind, idHash } = pushed;
    await artefacts.put(pushed);
    expect(await artefacts.findAndKeep(kind, idHash, NOW, NOW + 5000)).toMatchObject({ payload: pushed.payload });
    expect(await artefacts.findAndKeep(kind, idHash, NOW, NOW + 10)).toBeDefined();
    expect(await find(pushed, NOW + 4999)).toBeDefined();
    expect(await artefacts.findAndKeep(kind, idHash, NOW + 5000, NOW + 9000)).toBeUndefined();
    expect(await find(pushed, NOW + 5000)).toBeUndefined();
  });

  test('of ten who use a code at once, one gets it', async () => {
    const code = artefact();
    await artefacts.put(code);
    const all = await Promise.all(Array.from({ length: 10 }, () => artefacts.consume(code.kind, code.idHash, NOW + 1)));
    expect(all.filter(Boolean)).toHaveLength(1);
    expect(await find(code)).toMatchObject({ consumedAt: NOW + 1 });
    expect(await artefacts.consume('AuthorizationCode', artefactHash('unknown'), NOW)).toBe(false);
  });

  test('what was used can be remembered for longer than it was good', async () => {
    const code = artefact();
    await artefacts.put(code);
    await artefacts.consume(code.kind, code.idHash, NOW, NOW + 5000);
    expect(await find(code, NOW + 4999)).toMatchObject({ consumedAt: NOW });
    expect(await find(code, NOW + 5000)).toBeUndefined();
    expect(await artefacts.consume(code.kind, code.idHash, NOW, NOW + 9000)).toBe(false);
    expect(await find(code, NOW + 5000)).toBeUndefined();
  });

  test('of ten who put the same once, one gets through, also when it had expired', async () => {
    const used = artefact({ kind: 'ReplayDetection', expiresAt: NOW - 1 });
    const all = await Promise.all(Array.from({ length: 10 }, () => artefacts.putOnce(used)));
    expect(all.filter(Boolean)).toHaveLength(1);
  });

  test('a session is found by its uid, with the hash of its id', async () => {
    const session = artefact({ kind: 'Session', sessionUid: 'uid-1' });
    await artefacts.put(session);
    expect(await artefacts.findSession('uid-1', NOW)).toMatchObject({
      idHash: session.idHash,
      payload: session.payload,
    });
    expect(await artefacts.findSession('uid-1', NOW + 1000)).toBeUndefined();
    expect(await artefacts.findSession('uid-2', NOW)).toBeUndefined();
  });

  test('what is removed is gone, alone or with its grant', async () => {
    const [a, b, c] = [
      artefact({ grantId: 'g1' }),
      artefact({ grantId: 'g1', kind: 'AccessToken' }),
      artefact({ grantId: 'g2' }),
    ];
    for (const one of [a, b, c]) await artefacts.put(one);
    await artefacts.removeOfGrant('AuthorizationCode', 'g1');
    expect(await find(a)).toBeUndefined();
    expect(await find(b)).toBeDefined();
    await artefacts.remove(c.kind, c.idHash);
    expect(await find(c)).toBeUndefined();
  });

  test('sweeping takes what has expired and leaves the rest', async () => {
    const later = NOW + 1e9;
    await artefacts.sweep(later - 500);
    const [gone, kept] = [artefact({ expiresAt: later }), artefact({ expiresAt: later + 1 })];
    for (const one of [gone, kept]) await artefacts.put(one);
    expect(await artefacts.sweep(later)).toBe(1);
    expect(await find(kept, later)).toBeDefined();
    expect(await artefacts.sweep(later)).toBe(0);
  });
}
