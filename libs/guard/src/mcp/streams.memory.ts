import { Refusal, refusalOf } from '@portcullis/contract/refusals';
import { EFFECTS } from '@portcullis/contract/standing';
import type { Caller } from '@portcullis/scopes/caller';
import type { GuardPorts } from '../pipeline.js';
import type { Outlet } from './outlet.js';
import type { Streams } from './streams.js';

export interface StreamRules extends Pick<GuardPorts, 'isRevoked' | 'stateOf' | 'now'> {
  /** subscriptions one principal may have open at once. Default 4 */
  readonly perPrincipal?: number;
  /** subscriptions the server keeps open at once, one tenant's at most half of them. Default 1,000 */
  readonly inAll?: number;
}

interface Open {
  readonly caller: Caller;
  readonly outlet: Outlet;
  over(why: Refusal | undefined): void;
}

/** How often every stream is asked whether it may go on, ms. */
const LOOK_EVERY_MS = 250;
/** looks between two signs of life, which makes 15 seconds */
const LOOKS_PER_SIGN = 60;

/** The streams of this process. One timer looks after all of them, and only while there are any. */
export function memoryStreams(rules: StreamRules): Streams {
  const { perPrincipal = 4, inAll = 1_000 } = rules;
  const open = new Set<Open>();
  /** by tenant, and by principal with its tenant before it */
  const places = new Map<string, number>();
  const placesOf = (key: string): number => places.get(key) ?? 0;
  const change = (key: string, by: number): void => {
    const now = placesOf(key) + by;
    if (now === 0) places.delete(key);
    else places.set(key, now);
  };
  let taken = 0;
  let timer: NodeJS.Timeout | undefined;
  let looks = 0;
  let closed = false;

  const look = (): void => {
    const sign = (looks = (looks + 1) % LOOKS_PER_SIGN) === 0;
    for (const stream of open) {
      const why = whyNot(stream.caller, rules);
      if (why !== undefined) stop(stream, why);
      else if (sign) stream.outlet.keepAlive();
    }
  };
  const stop = (stream: Open, why: Refusal | undefined): void => {
    if (open.delete(stream)) stream.over(why);
    if (open.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
  const watch: Streams['watch'] = (caller, outlet, over) => {
    const stream: Open = { caller, outlet, over };
    if (closed) return over(undefined);
    open.add(stream);
    timer ??= setInterval(look, LOOK_EVERY_MS).unref();
    outlet.onClosed(() => {
      stream.over = () => {};
      stop(stream, undefined);
    });
  };

  return {
    place(caller) {
      const { tenant, principal } = caller;
      // a tenant's slug has no slash, so none looks like another's principal
      const key = `${tenant}/${principal}`;
      if (placesOf(key) >= perPrincipal) {
        throw new Refusal('rate_limited', { limitType: 'concurrency', remaining: 0, retryAfterMs: 1_000 });
      }
      if (closed || taken >= inAll || placesOf(tenant) >= Math.ceil(inAll / 2)) {
        throw new Refusal('overloaded', { retryAfterMs: 1_000 }, { detail: `no place for a stream of ${tenant}` });
      }
      const all = (by: number): void => {
        taken += by;
        change(key, by);
        change(tenant, by);
      };
      all(1);
      let left = false;
      const leave = (): void => {
        if (left) return;
        left = true;
        all(-1);
      };
      return {
        leave,
        take(outlet, over) {
          outlet.onClosed(leave);
          watch(caller, outlet, over);
        },
      };
    },
    watch,
    get size() {
      return open.size;
    },
    close() {
      closed = true;
      for (const stream of open) stop(stream, undefined);
    },
  };
}

/** Why a caller may no longer be told anything. No clock skew is granted here: the token was good when the stream began. */
function whyNot(caller: Caller, { isRevoked, stateOf, now }: StreamRules): Refusal | undefined {
  try {
    if (now() / 1000 >= caller.expiresAt) return new Refusal('token_invalid', {}, { detail: 'expired on a stream' });
    if (isRevoked(caller)) return new Refusal('token_invalid', {}, { detail: 'revoked on a stream' });
    const state = stateOf(caller);
    return EFFECTS[state].admitted ? undefined : new Refusal('quarantined', {}, { detail: `state ${state}` });
  } catch (error) {
    // the feeds have stopped: nobody knows whether it may go on
    return refusalOf(error);
  }
}
