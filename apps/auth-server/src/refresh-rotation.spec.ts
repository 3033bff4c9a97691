import fc from 'fast-check';
import { judge, REPLAY_WINDOW_MS, type KeptToken, type Presenter } from './refresh-rotation.js';

const UNUSED = undefined;
test('a used token may come back for ten seconds', () => expect(REPLAY_WINDOW_MS).toBe(10_000));

const IN_WINDOW = REPLAY_WINDOW_MS;
const LATE = REPLAY_WINDOW_MS + 1;
const bound = (usedMsAgo: number | undefined): KeptToken => ({ clientId: 'c', jkt: 'k', usedMsAgo });
const unbound = (usedMsAgo: number | undefined): KeptToken => ({ clientId: 'c', jkt: undefined, usedMsAgo });
const from = (clientId: string, jkt?: string): Presenter => ({ clientId, jkt });

test.each<[string, KeptToken, Presenter, string]>([
  ['a fresh token of its owner', unbound(UNUSED), from('c'), 'rotate'],
  ['a fresh token of an owner who sends proofs now', unbound(UNUSED), from('c', 'k'), 'rotate'],
  ['a fresh token with its key', bound(UNUSED), from('c', 'k'), 'rotate'],
  ['a fresh token without its proof', bound(UNUSED), from('c'), 'refuse'],
  ['a fresh token with another key', bound(UNUSED), from('c', 'other'), 'end'],
  ['a fresh token from another client', unbound(UNUSED), from('d'), 'end'],
  ['a fresh token from another client with its key', bound(UNUSED), from('d', 'k'), 'end'],
  ['a token that was used this instant', unbound(0), from('c'), 'repeat'],
  ['a token that a clock stepping back says is used later', unbound(-5), from('c'), 'repeat'],
  ['a token at the end of its window', unbound(IN_WINDOW), from('c'), 'repeat'],
  ['a bound token at the end of its window', bound(IN_WINDOW), from('c', 'k'), 'repeat'],
  ['a token after its window', unbound(LATE), from('c'), 'end'],
  ['a bound token after its window', bound(LATE), from('c', 'k'), 'end'],
  ['a used token without its proof', bound(1), from('c'), 'end'],
  ['a used token with another key', bound(1), from('c', 'other'), 'end'],
  ['a used token from another client', unbound(1), from('d'), 'end'],
  ['a late token from another client', unbound(LATE), from('d'), 'end'],
])('%s', (_says, kept, by, verdict) => {
  expect(judge(kept, by)).toEqual(
    verdict === 'refuse' || verdict === 'end'
      ? { do: verdict, why: expect.stringMatching(/^(its|the) refresh token/) }
      : { do: verdict },
  );
});

const word = fc.constantFrom('a', 'b');
const key = fc.option(fc.constantFrom('k', 'l'), { nil: undefined });
const kept = fc.record({
  clientId: word,
  jkt: key,
  usedMsAgo: fc.option(fc.integer({ min: -1000, max: 3 * REPLAY_WINDOW_MS }), { nil: undefined }),
});
const presenter = fc.record({ clientId: word, jkt: key });

test('only the owner with the key gets a successor, one use gives one, and a late return always ends the family', () => {
  fc.assert(
    fc.property(kept, presenter, (token, by) => {
      const { do: verdict } = judge(token, by);
      const owner = token.clientId === by.clientId && (token.jkt === undefined || token.jkt === by.jkt);
      if (verdict === 'rotate' || verdict === 'repeat') expect(owner).toBe(true);
      if (verdict === 'rotate') expect(token.usedMsAgo).toBeUndefined();
      if ((token.usedMsAgo ?? 0) > REPLAY_WINDOW_MS) expect(verdict).toBe('end');
      // nobody but a key's owner who forgot the proof is sent away with nothing decided
      if (verdict === 'refuse') expect([by.jkt, token.usedMsAgo]).toEqual([undefined, undefined]);
      if (owner && (token.usedMsAgo ?? 0) <= REPLAY_WINDOW_MS) expect(['rotate', 'repeat']).toContain(verdict);
    }),
  );
});
