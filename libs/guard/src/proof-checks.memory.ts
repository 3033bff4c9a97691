import { randomBytes, verify } from 'node:crypto';
import { bunched } from './bunched.memory.js';
import type { ProofChecks } from './dpop.js';
import { nonces } from './nonces.js';
import { proofSigners, type Verify } from './proof-signer.js';
import { memoryProofReplay } from './proof-replay.memory.js';

/** All that checking proofs remembers, in the memory of this process. @param now ms since epoch */
export const memoryProofChecks = (now: () => number): ProofChecks => ({
  nonces: nonces(randomBytes(32), now),
  replay: memoryProofReplay(now),
  signerOf: proofSigners(bunched<Parameters<Verify>, boolean>(verify)),
  now,
});
