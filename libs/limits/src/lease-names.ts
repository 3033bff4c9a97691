import { Buffer } from 'node:buffer';

const BYTES = 16;
const POOLED = 64;

/** Makes names for leases: 128 random bits each. @param random that many random bytes, fit for secrets */
export function leaseNames(random: (size: number) => Uint8Array): () => string {
  // asking for random bytes costs more than all the rest of a decision, whatever their number
  let pool = Buffer.alloc(0);
  let unused = 0;
  return () => {
    if (unused + BYTES > pool.length) {
      pool = Buffer.from(random(POOLED * BYTES));
      unused = 0;
    }
    return pool.toString('base64url', unused, (unused += BYTES));
  };
}

/**
 * What a limiter keeps a lease under. One that is bound to its taker is found by that taker only: the name that another asks
 * for is another name.
 */
export const heldAs = (lease: string, taker: string | undefined): string =>
  taker === undefined || lease === '' ? lease : `${taker.length}:${taker}/${lease}`;
