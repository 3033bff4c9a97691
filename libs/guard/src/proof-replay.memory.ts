import { boundedId } from './bounded-id.js';
import { PROOF_REPLAY_BOUNDS, type ProofReplay, type ProofReplayBounds } from './proof-replay.js';

/** Ids are forgotten a minute at a time, once the last of that minute is too old. */
const STEP_MS = 60_000;

/**
 * Used proofs in the memory of this process. A restart forgets them, and several processes do not tell each other: so the
 * nonces beside it must have a key that is random per process (nonces.ts), which makes each proof good in one process only.
 * @param now ms since epoch
 */
export function memoryProofReplay(now: () => number, bounds: ProofReplayBounds = PROOF_REPLAY_BOUNDS): ProofReplay {
  /** by the minute they end in, by principal */
  const minutes = new Map<number, Map<string, Set<string>>>();
  let size = 0;

  const forget = (): void => {
    const minute = Math.floor(now() / STEP_MS);
    for (const [end, used] of minutes) {
      if (end >= minute) continue;
      for (const ids of used.values()) size -= ids.size;
      minutes.delete(end);
    }
  };

  return {
    use(tenant, principal, jti, until) {
      forget();
      const owner = `${tenant}/${principal}`;
      const id = boundedId(jti);
      let own = 0;
      for (const used of minutes.values()) {
        const ids = used.get(owner);
        if (ids?.has(id)) return 'again';
        own += ids?.size ?? 0;
      }
      if (own >= bounds.perPrincipal) return 'crowded';
      if (size >= bounds.inAll) return 'full';
      const end = Math.floor(until / STEP_MS);
      const used = minutes.get(end) ?? new Map<string, Set<string>>();
      minutes.set(end, used.set(owner, (used.get(owner) ?? new Set()).add(id)));
      size += 1;
      return 'first';
    },
  };
}
