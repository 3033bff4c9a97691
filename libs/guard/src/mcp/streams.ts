import type { Refusal } from '@portcullis/contract/refusals';
import type { Caller } from '@portcullis/scopes/caller';
import type { Outlet } from './outlet.js';

/** A place among the open subscriptions, taken before the answer is made and given back when the stream is closed. */
export interface Place {
  /**
   * Opens the subscription's stream, which is watched from now on.
   * @param over called when the caller may no longer be told anything, or (without a reason) when the server stops
   */
  take(outlet: Outlet, over: (why: Refusal | undefined) => void): void;
  /** Gives the place back when no stream was opened after all. */
  leave(): void;
}

/**
 * Every event stream that is open. A token is looked at when a request comes, but a stream outlives that look: each is
 * asked again several times a second, and ends within a second of its token's expiry, its revocation, or the caller's
 * containment.
 */
export interface Streams {
  /**
   * Takes a place for one more subscription of this caller.
   * @throws Refusal rate_limited when its principal has as many as it may, overloaded when the server has
   */
  place(caller: Caller): Place;
  /** Watches the stream of a call that is under way, which has its place among the calls. */
  watch(caller: Caller, outlet: Outlet, over: (why: Refusal | undefined) => void): void;
  /** streams open now */
  readonly size: number;
  /** Ends every stream; none is opened after. Safe to call twice. */
  close(): void;
}
