import type { ServerResponse } from 'node:http';
import type { Outlet } from './outlet.js';

/** Bytes that wait for a client that does not read; what comes after is left out. */
const MAX_WAITING = 256 * 1024;

/** The head of an event stream. Proxies must not collect it (MCP 2026-07-28, basic/transports/streamable-http). */
export const EVENT_STREAM = { 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' } as const;

/** True when a client can read an event stream (RFC 9110 §12.5.1); one that says nothing reads what it gets in JSON. */
export const acceptsEvents = (accept: string | undefined): boolean =>
  accept !== undefined && accept.split(',').some((range) => EVENTS.test(range));
const EVENTS = /^[ \t]*text\/event-stream[ \t]*(?:$|;(?![ \t]*q=0(?:\.0{0,3})?[ \t]*(?:$|;)))/i;

/** One message as an event; JSON has no line breaks of its own. */
export const eventOf = (json: string): string => `event: message\ndata: ${json}\n\n`;

/** An event stream over a response whose head has been written. */
export function eventStream(response: ServerResponse): Outlet {
  return {
    send(message) {
      if (response.writableEnded || response.destroyed || response.writableLength > MAX_WAITING) return false;
      response.write(eventOf(JSON.stringify(message)));
      return true;
    },
    keepAlive() {
      if (!response.writableEnded && !response.destroyed && response.writableLength === 0) response.write(':\n\n');
    },
    end() {
      if (!response.writableEnded) response.end();
    },
    cut: () => void response.destroy(),
    onClosed(then) {
      if (response.closed || response.destroyed) then();
      else response.once('close', then);
    },
  };
}
