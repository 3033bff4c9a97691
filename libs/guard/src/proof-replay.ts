/**
 * What became of a proof's id.
 * `first` it may pass · `again` it was used, or may have been · `crowded` this principal has used as many as can be kept for it, and `full`
 * all of them together: what cannot be kept cannot be let in, and nothing is forgotten to make room
 */
export type ProofUse = 'first' | 'again' | 'crowded' | 'full';

/** Which proofs were used, so that each is good for one request (RFC 9449 §11.1). Each variant must pass proof-replay.contract.ts. */
export interface ProofReplay {
  /**
   * Takes a proof's id, in one step with looking whether it was taken.
   * @param until ms since epoch: when the proof is refused for its age in any case, and its id can be forgotten
   */
  use(tenant: string, principal: string, jti: string, until: number): ProofUse | Promise<ProofUse>;
}

/** How much a variant keeps. */
export interface ProofReplayBounds {
  readonly perPrincipal: number;
  readonly inAll: number;
}
export const PROOF_REPLAY_BOUNDS: ProofReplayBounds = { perPrincipal: 10_000, inAll: 1_000_000 };
