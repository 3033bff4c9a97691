import { createHash } from 'node:crypto';

/** A Lua script, which the server runs as one step between all others, and knows by its digest once it has seen it. */
export interface Script {
  /** what errors and logs call it */
  readonly name: string;
  readonly text: string;
  /** SHA-1 of the text in hex; a name for it, nothing is protected by it */
  readonly sha: string;
}

/**
 * Says what the script needs: all of it or nothing. A server that is full, a replica, or one that has lost its own replicas
 * refuses it before it begins; without this line only its first write is refused, and none after a write that frees something.
 * Nor does it touch keys of two slots.
 * @see https://redis.io/docs/latest/develop/programmability/eval-intro/#eval-flags
 */
const ALL_OR_NOTHING = '#!lua';

/** @see https://redis.io/docs/latest/commands/evalsha/ */
export function script(name: string, lua: string): Script {
  const text = `${ALL_OR_NOTHING}${lua.startsWith('\n') ? '' : '\n'}${lua}`;
  return { name, text, sha: createHash('sha1').update(text).digest('hex') };
}
