import { createHash } from 'node:crypto';

/** A Lua script, which the server runs as one step between all others, and knows by its digest once it has seen it. */
export interface Script {
  /** what errors and logs call it */
  readonly name: string;
  readonly text: string;
  /** SHA-1 of the text in hex; a name for it, nothing is protected by it */
  readonly sha: string;
}

/** @see https://redis.io/docs/latest/commands/evalsha/ */
export const script = (name: string, text: string): Script => ({
  name,
  text,
  sha: createHash('sha1').update(text).digest('hex'),
});
