/**
 * How long a used refresh token may come back and get the same answer, ms: for a client whose requests crossed, or whose
 * answer was lost. Measured by the clock of the database that all replicas share, from the use to the return, so that the
 * replicas' own clocks do not matter.
 */
export const REPLAY_WINDOW_MS = 10_000;

/** Whose token it is, and what became of it. */
export interface KeptToken {
  readonly clientId: string;
  /** thumbprint of the key that it is bound to; undefined = to none (clients with credentials are bound by those) */
  readonly jkt: string | undefined;
  /** ms since its one use; undefined = not used yet */
  readonly usedMsAgo: number | undefined;
}

/** Who presents it: the client has authenticated, and the proof, if there is one, was checked. */
export interface Presenter {
  readonly clientId: string;
  /** thumbprint of the key of its DPoP proof (RFC 9449 §4.2) */
  readonly jkt: string | undefined;
}

/** `rotate`: give a successor. `repeat`: give the successor that it has. `refuse`: do nothing. `end`: end the family. */
export type Verdict = { readonly do: 'rotate' | 'repeat' } | { readonly do: 'refuse' | 'end'; readonly why: string };

/**
 * What a presented refresh token leads to. One use, strictly, but a token that comes back at once from its owner is taken
 * for what it nearly always is: two processes of one client that refreshed together, or an answer that got lost.
 *
 * | token              | owner  | bound, no proof | other key | other client |
 * |--------------------|--------|-----------------|-----------|--------------|
 * | not used yet       | rotate | refuse          | end       | end          |
 * | used within window | repeat | end             | end       | end          |
 * | used before that   | end    | end             | end       | end          |
 *
 * A forgotten proof proves nothing about the token, so it costs nobody a session; whoever brings another client's token, or
 * a proof of another key, shows that it got out.
 *
 * A token that comes back in its window may have a successor that was used, too (refreshed twice in 10 s, and a straggler
 * with the first token). The straggler then gets the newest of the chain, see refresh-tokens.sql.ts: with the used one in
 * its hands it would be logged out at its next refresh, although it did nothing wrong. Every window along that chain began
 * later than the straggler's, so all are open. A thief who comes within the window gets what its owner has, once; from
 * then on two parties hold one chain, and the first of them to fall behind by more than the window ends it.
 *
 * @see RFC 9700 §4.14.2, OAuth 2.1 §4.3.1
 */
export function judge(kept: KeptToken, by: Presenter): Verdict {
  const used = kept.usedMsAgo !== undefined;
  if (kept.clientId !== by.clientId) return { do: 'end', why: 'its refresh token came from another client' };
  if (kept.jkt !== undefined && kept.jkt !== by.jkt) {
    if (by.jkt !== undefined) return { do: 'end', why: 'its refresh token came with a proof of another key' };
    if (used) return { do: 'end', why: 'its refresh token came back without the proof that it is bound to' };
    return { do: 'refuse', why: 'the refresh token is bound to a key, and there is no proof' };
  }
  if (kept.usedMsAgo === undefined) return { do: 'rotate' };
  if (kept.usedMsAgo <= REPLAY_WINDOW_MS) return { do: 'repeat' };
  return { do: 'end', why: 'its refresh token came back after it had been used' };
}
