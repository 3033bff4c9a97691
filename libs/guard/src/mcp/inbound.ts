import type { Slot } from '../slots.js';
import type { ProtocolHeaders } from './message.js';
import type { Outlet } from './outlet.js';
import type { Arrival } from './record.js';

/** A request to /mcp: what its head says, and its body when asked for. */
export interface Inbound extends Arrival {
  readonly method: string;
  /** it came over TLS, or need not have */
  readonly secure: boolean;
  /** every Host header as it came */
  readonly hosts: readonly string[];
  readonly origin: string | undefined;
  /** the method a browser asks leave for (CORS preflight) */
  readonly preflightFor: string | undefined;
  /** the headers it would send, in the same question */
  readonly preflightHeaders: string | undefined;
  /** every Authorization header as it came */
  readonly authorization: readonly string[];
  /** every DPoP header as it came */
  readonly dpop: readonly string[];
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
  readonly headers: ProtocolHeaders;
  /**
   * @param slot gives the room for what is read
   * @throws Refusal body_too_large, json_malformed when it is not UTF-8, request_invalid when it breaks off, and the slot's
   */
  readBody(maxBytes: number, slot: Slot): Promise<string>;
  /** true when the client is gone, so that nobody waits for the answer; asked now and then, which costs a call nothing */
  isGone(): boolean;
  /** any header, by its name in lower case */
  header(name: string): string | undefined;
  /** the client can read an event stream */
  acceptsEvents(): boolean;
  /**
   * Begins the answer as an event stream, whose last message the answer becomes.
   * @returns undefined when the client cannot read one, or the answer has begun
   */
  openStream(headers: Readonly<Record<string, string>>): Outlet | undefined;
}
