import { perTurn } from '@portcullis/redis/per-turn.redis';
import type { KeyedId } from '@portcullis/redis/keyed-id';
import type { Redis } from '@portcullis/redis/redis';
import { refusedByAway } from './away.js';
import { PROOF_REPLAY_BOUNDS, type ProofReplay, type ProofReplayBounds, type ProofUse } from './proof-replay.js';
import { USE_PROOFS } from './proof-replay-script.js';

export interface RedisProofReplayOptions {
  readonly redis: Redis;
  /** whose proofs: each service keeps its own, since a proof is made for one URI */
  readonly service: string;
  /** names the proofs in the store */
  readonly idOf: KeyedId;
  /** ms since epoch: the clock by which the proofs are refused for their age */
  readonly now: () => number;
  /** `inAll`: of one tenant. All tenants together have the memory of the server, which refuses what is beyond it. */
  readonly bounds?: ProofReplayBounds;
  /** ms since epoch: instead of the server's own clock, for tests */
  readonly serverNow?: () => number;
}

interface Use {
  readonly principal: string;
  readonly id: string;
  readonly keepMs: number;
}
const USES: readonly ProofUse[] = ['first', 'again', 'crowded', 'full'];
/** The clocks of two replicas may be apart by so much. */
const APART_MS = 60_000;

/**
 * Used proofs on a Redis that all replicas share. When Redis loses what it kept, being started anew or having failed over, nothing
 * is let in that could have been used before: nonces hang on `redis.runs()` (nonces.ts), and the script asks for it again.
 * Proofs of one turn of the event loop are asked about together.
 * @throws Refusal overloaded while Redis is away
 */
export function redisProofReplay(options: RedisProofReplayOptions): ProofReplay {
  const { redis, service, idOf, now, bounds = PROOF_REPLAY_BOUNDS, serverNow } = options;
  const limits = [bounds.perPrincipal, bounds.inAll];

  const useAll = async (tenant: string, uses: readonly Use[]): Promise<readonly ProofUse[]> => {
    const root = `{${tenant}}:proofs:${service}`;
    const keys = [root, ...uses.map(({ principal }) => `${root}:${principal}`)];
    const runs = redis.runs();
    const asked = uses.flatMap(({ id, keepMs }) => [id, keepMs]);
    const answers = (await redis
      .run(USE_PROOFS, keys, [serverNow?.() ?? '', runs, ...limits, ...asked])
      .catch((error: unknown) => {
        throw refusedByAway(error);
      })) as readonly number[];
    return answers.map((answer) => USES[answer] ?? 'again');
  };
  const use = perTurn(useAll);

  return {
    use: (tenant, principal, jti, until) => {
      const keepMs = Math.max(0, Math.ceil(until - now())) + APART_MS;
      return use(tenant, { principal, id: idOf(tenant, principal, jti), keepMs });
    },
  };
}
