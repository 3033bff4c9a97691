/** What a server says of its memory. @see https://redis.io/docs/latest/commands/info/ */
const POLICY = /^maxmemory_policy:([a-z-]{1,32})\r?$/m;
const REFUSES = 'noeviction';

/**
 * A server whose memory is full either refuses to write, which is answered as `overloaded`, or throws away what it was told:
 * counts of limits, used proofs, histories. Whoever makes it full would then be admitted anew.
 * @param infos `INFO memory` of each server that takes writes
 * @returns what is wrong, and what to change; undefined = each of them refuses
 * @see https://redis.io/docs/latest/develop/reference/eviction/
 */
export function evictionIn(infos: readonly string[]): string | undefined {
  const wrong = infos.map((info) => POLICY.exec(info)?.[1]).filter((policy) => policy !== REFUSES);
  if (wrong.length === 0) return undefined;
  const [policy] = wrong;
  const found = policy === undefined ? 'does not say what it does when its memory is full' : `has ${policy}`;
  return `maxmemory-policy must be ${REFUSES}, so that no limit, proof or history is thrown away when the memory is full; the server ${found}`;
}
