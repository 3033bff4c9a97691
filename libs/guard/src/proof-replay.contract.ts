import type { ProofReplay, ProofReplayBounds } from './proof-replay.js';

const START = 1_800_000_000_000;
const MINUTE = 60_000;

/** What every variant of {@link ProofReplay} must do. `now` is the clock that the variant goes by. */
export function describeProofReplay(
  name: string,
  open: (now: () => number, bounds?: ProofReplayBounds) => ProofReplay | Promise<ProofReplay>,
): void {
  describe(`used proofs: ${name}`, () => {
    const started = async (bounds?: ProofReplayBounds) => {
      const clock = { now: START };
      const replay = await open(() => clock.now, bounds);
      const use = (jti: string, { tenant = 'acme', principal = 'agt_a', until = START + 3 * MINUTE } = {}) =>
        replay.use(tenant, principal, jti, until);
      return { clock, use };
    };

    test('an id passes once', async () => {
      const { use } = await started();
      expect([await use('a'), await use('b'), await use('a'), await use('b')]).toEqual([
        'first',
        'first',
        'again',
        'again',
      ]);
    });

    test('of many uses at once exactly one is the first', async () => {
      const { use } = await started();
      const all = await Promise.all(Array.from({ length: 50 }, async () => use('a')));
      expect(all.filter((each) => each === 'first')).toHaveLength(1);
    });

    test('an id is the same whenever the proof around it ends', async () => {
      const { use } = await started();
      await use('a', { until: START + MINUTE });
      expect(await use('a', { until: START + 3 * MINUTE })).toBe('again');
    });

    test('an id is remembered to the end of its time, and forgotten some time after', async () => {
      const { clock, use } = await started();
      const until = START + 90_000;
      await use('a', { until });
      clock.now = until - 1;
      expect(await use('a', { until })).toBe('again');
      clock.now = until + 5 * MINUTE;
      expect(await use('a', { until: clock.now + MINUTE })).toBe('first');
    });

    test('ids of another tenant and of another principal are others', async () => {
      const { use } = await started();
      await use('a');
      expect(await use('a', { tenant: 'other' })).toBe('first');
      expect(await use('a', { principal: 'agt_b' })).toBe('first');
      expect(await use('a', { tenant: 'other' })).toBe('again');
    });

    test('long ids that differ in their last letter are two', async () => {
      const { use } = await started();
      const long = 'x'.repeat(254);
      expect([await use(`${long}a`), await use(`${long}b`), await use(`${long}a`)]).toEqual([
        'first',
        'first',
        'again',
      ]);
    });

    test('one principal fills its own room only, and nothing is forgotten to make more', async () => {
      const { clock, use } = await started({ perPrincipal: 3, inAll: 100 });
      for (const jti of ['a', 'b', 'c']) expect(await use(jti)).toBe('first');
      expect([await use('d'), await use('a'), await use('d', { principal: 'agt_b' })]).toEqual([
        'crowded',
        'again',
        'first',
      ]);
      clock.now = START + 5 * MINUTE;
      expect(await use('d', { until: START + 8 * MINUTE })).toBe('first');
    });

    test('all principals together have a bound', async () => {
      const { clock, use } = await started({ perPrincipal: 3, inAll: 4 });
      for (const jti of ['a', 'b']) for (const principal of ['agt_a', 'agt_b']) await use(jti, { principal });
      expect([await use('a', { principal: 'agt_c' }), await use('a')]).toEqual(['full', 'again']);
      clock.now = START + 5 * MINUTE;
      expect(await use('a', { principal: 'agt_c', until: START + 8 * MINUTE })).toBe('first');
    });
  });
}
