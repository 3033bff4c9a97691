import { isTenant, type PrincipalId } from '@portcullis/contract/ids';
import type { Saying } from '@portcullis/guard/statements';
import type { StandingRead, Whose } from './audit-store.js';
import { keyOf } from './reckon.js';

/** A database's clock that is so far behind what was said before has been turned back, microseconds. */
const TURNED_BACK = 10_000_000;

/**
 * What is signed of a principal. Its place in the order is when it was read, so that of two replicas the one that read
 * later wins, whichever speaks later; after a clock was turned back, the next place.
 * @param known the place of what was said last of it, if any
 */
export function standingSaying({ readAt, ...body }: StandingRead, known: number | undefined): Saying {
  const turned = known !== undefined && known - readAt > TURNED_BACK;
  return { key: keyOf(body), seq: turned ? known + 1 : readAt, body };
}

/** Whom a key of the topic names; undefined for one that names nobody. */
export function whoseKey(key: string): Whose | undefined {
  const [tenant = '', agent = '', ...rest] = key.split('/');
  const named = isTenant(tenant) && /^agt_[a-z0-9]{1,60}$/.test(agent) && rest.length === 0;
  return named ? { tenant, agent: agent as PrincipalId } : undefined;
}
