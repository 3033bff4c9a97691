import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Inbound } from './inbound.js';
import { mcpListener } from './listener.http.js';

/** What the door is given for a request over such a socket. */
function inboundOf(socket: object, destroyed = false): Inbound {
  const seen: Inbound[] = [];
  const door = (inbound: Inbound) => {
    seen.push(inbound);
    return new Promise<never>(() => undefined);
  };
  const arrivals = { trustedProxies: [], forceHttps: false, newId: () => 'id', now: () => 0 };
  const request = { socket, headers: {}, rawHeaders: [] } as unknown as IncomingMessage;
  mcpListener(door, arrivals)(request, Object.assign(new EventEmitter(), { destroyed }) as unknown as ServerResponse);
  return seen[0]!;
}
const PEER = { remoteAddress: '203.0.113.9', localAddress: '10.0.0.1' };

test.each([
  ['waits', PEER, false, '203.0.113.9', false],
  ['has closed its connection', PEER, true, '203.0.113.9', true],
  // Linux gives us what was sent before a reset, and knows no peer any more
  ['reset its connection before it was looked at', { localAddress: '10.0.0.1' }, false, '', true],
  ['came by a Unix domain socket, which has no addresses,', {}, false, '', false],
])('whether a client that %s is gone is known', (_what, socket, destroyed, address, gone) => {
  const inbound = inboundOf(socket, destroyed);
  expect([inbound.address, inbound.isGone()]).toEqual([address, gone]);
});
