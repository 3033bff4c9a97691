import type { Message } from '@portcullis/bus/bus';
import { standingSchema, type BehaviourState, type Standing } from '@portcullis/contract/standing';
import type { Caller } from '@portcullis/scopes/caller';

/**
 * Who is not Normal, as the standing feed says, so that a contained person cannot decide about anybody here, least of
 * all about themselves.
 */
export function standingBoard() {
  const states = new Map<string, BehaviourState>();
  return {
    async take(messages: readonly Message[]): Promise<void> {
      for (const { value } of messages) {
        const standing = readStanding(value);
        if (!standing) continue;
        const key = `${standing.tenant}/${standing.agent}`;
        if (standing.state === 'Normal') states.delete(key);
        else states.set(key, standing.state);
      }
    },
    stateOf: ({ tenant, principal }: Caller): BehaviourState => states.get(`${tenant}/${principal}`) ?? 'Normal',
  };
}

/** A message that cannot be read must not keep those behind it from being read. */
function readStanding(value: string): Standing | undefined {
  try {
    return standingSchema.parse(JSON.parse(value));
  } catch {
    return undefined;
  }
}
