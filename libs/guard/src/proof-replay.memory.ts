import { createHash } from 'node:crypto';
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
    async use(tenant, principal, jti, until) {
      forget();
      const owner = `${tenant}/${principal}`;
      // 128 bits of it: ids may be long, and there may be many
      const id = createHash('sha256').update(jti).digest().toString('latin1', 0, 16);
      const own = [...minutes.values()].flatMap((used) => used.get(owner) ?? []);
      if (own.some((ids) => ids.has(id))) return 'again';
      if (own.reduce((sum, ids) => sum + ids.size, 0) >= bounds.perPrincipal) return 'crowded';
      if (size >= bounds.inAll) return 'full';
      const end = Math.floor(until / STEP_MS);
      const used = minutes.get(end) ?? new Map<string, Set<string>>();
      minutes.set(end, used.set(owner, (used.get(owner) ?? new Set()).add(id)));
      size += 1;
      return 'first';
    },
  };
}
