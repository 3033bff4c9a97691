import type { Revocable } from '@portcullis/contract/revocation';
import type { RevocationRecord, Revocations } from './revocations.js';

const T0 = Date.UTC(2026, 0, 1);
const HOUR = 3_600_000;
const yes = () => Promise.resolve();
const no = () => Promise.reject(new Error('the log is full'));
let number = 0;
const revocation = (more: Partial<RevocationRecord> = {}) => ({
  what: 'token' as Revocable,
  id: `jti-${++number}`,
  at: T0,
  until: T0 + HOUR,
  reason: 'the client said so',
  by: 'support-agent',
  ...more,
});

/** What every store of revocations does. */
export function revocationsContract(open: () => Promise<Revocations>): void {
  let revocations: Revocations;
  beforeAll(async () => {
    revocations = await open();
  }, 60_000);
  const idsSince = async (horizon?: string, now = T0) => {
    const found = await revocations.since(horizon, now);
    return { ids: found.rows.map(({ id }) => id), horizon: found.horizon };
  };

  test('what was revoked is found as it was written, and nothing else is', async () => {
    const one = revocation();
    await revocations.revoke('r1', one, yes);
    expect(await revocations.find('r1', 'token', one.id)).toEqual({ ...one, tenant: 'r1' });
    expect(await revocations.find('r1', 'grant', one.id)).toBeUndefined();
    expect(await revocations.find('r1', 'token', 'unknown')).toBeUndefined();
  });

  test('each tenant has its own: the id of another one is an unknown id', async () => {
    const one = revocation();
    await revocations.revoke('r2', one, yes);
    expect(await revocations.find('r3', 'token', one.id)).toBeUndefined();
    await revocations.revoke('r3', { ...one, until: T0 + 2 * HOUR, by: 'other' }, yes);
    expect(await revocations.find('r2', 'token', one.id)).toEqual({ ...one, tenant: 'r2' });
  });

  test('the same again keeps the later times and the newer reason', async () => {
    const one = revocation({ what: 'client' });
    await revocations.revoke('r4', one, yes);
    await revocations.revoke('r4', { ...one, at: T0 - 5, until: T0 + 2 * HOUR, reason: 'again', by: 'sam' }, yes);
    const now = { ...one, tenant: 'r4', until: T0 + 2 * HOUR, reason: 'again', by: 'sam' };
    expect(await revocations.find('r4', 'client', one.id)).toEqual(now);
    await revocations.revoke('r4', { ...one, at: T0 + 5 }, yes);
    expect(await revocations.find('r4', 'client', one.id)).toMatchObject({ at: T0 + 5, until: T0 + 2 * HOUR });
  });

  test('of ten at once all are answered and one is kept', async () => {
    const one = revocation();
    await Promise.all(Array.from({ length: 10 }, () => revocations.revoke('r5', one, yes)));
    expect((await revocations.since(undefined, T0)).rows.filter(({ tenant }) => tenant === 'r5')).toHaveLength(1);
  });

  test('without a yes nothing is revoked', async () => {
    const one = revocation();
    await expect(revocations.revoke('r6', one, no)).rejects.toThrow('the log is full');
    expect(await revocations.find('r6', 'token', one.id)).toBeUndefined();
  });

  test('a horizon tells what came after it, of every tenant, and leaves out what ends nothing any more', async () => {
    const [before, dead, after, again] = [revocation(), revocation({ until: T0 }), revocation(), revocation()];
    for (const one of [before, again]) await revocations.revoke('r7', one, yes);
    const { ids: all, horizon } = await idsSince();
    expect(all).toEqual(expect.arrayContaining([before.id, again.id]));
    await revocations.revoke('r7', dead, yes);
    await revocations.revoke('r8', after, yes);
    await revocations.revoke('r7', { ...again, until: T0 + 2 * HOUR }, yes);
    const next = await idsSince(horizon);
    expect(next.ids).toEqual(expect.arrayContaining([after.id, again.id]));
    expect(next.ids).not.toContain(dead.id);
    // another test's transaction may be open in the same server; once it has ended, nothing is told again
    for (let told = next; told.ids.length > 0;) told = await idsSince(told.horizon);
    expect((await idsSince(undefined, T0 + HOUR)).ids).not.toContain(after.id);
  });

  test('what ends nothing any more can be listed and forgotten, the oldest first, and the rest stays', async () => {
    const far = T0 + 1000 * HOUR;
    await revocations.forget(await revocations.expired(far - 1, 10_000), far - 1);
    const [first, second, alive] = [far, far + 1, far + 2].map((until) => revocation({ until }));
    for (const one of [second!, first!, alive!]) await revocations.revoke('r9', one, yes);
    expect((await revocations.expired(far + 1, 1)).map(({ id }) => id)).toEqual([first?.id]);
    const gone = await revocations.expired(far + 1, 10);
    expect(gone.map(({ id }) => id)).toEqual([first?.id, second?.id]);
    await revocations.revoke('r9', { ...second!, until: far + HOUR }, yes);
    await revocations.forget([...gone, { ...alive!, tenant: 'r9' }], far + 1);
    await revocations.forget([], far + 1);
    const kept = await Promise.all([first, second, alive].map((one) => revocations.find('r9', 'token', one!.id)));
    expect(kept.map((one) => one?.id)).toEqual([undefined, second?.id, alive?.id]);
  });
}
