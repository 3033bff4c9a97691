import { randomFillSync } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';

const ID_BYTES = 16;
/** Asking for random bytes costs more than the rest of an id, whatever their number. */
const pool = new Uint8Array(256 * ID_BYTES);
let used = pool.length;
let last = { msecs: -Infinity, seq: 0 };

/** UUIDv7 (RFC 9562 §5.7), later ones of this process sort after earlier ones (§6.2). */
export function newId(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const random = pool.subarray(used, (used += ID_BYTES));
  const now = Date.now();
  if (now > last.msecs) last = { msecs: now, seq: (random[6]! << 16) | (random[7]! << 8) | random[8]! };
  else last.seq += 1;
  return uuidv7({ random, ...last });
}
