import type { Server } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';

/** How long a client may leave what was written to it untaken, ms. */
export const UNREAD_MS = 30_000;
const LOOKS = 6;

/** What was seen of a connection when it was last looked at. */
interface Seen {
  /** bytes that the system took from us */
  taken: number;
  /** how often in a row something waited and nothing was taken */
  stuck: number;
}

/**
 * Cuts clients that do not read their answers, which would keep them in our memory for ever. Connections are looked at now
 * and then, so that no answer costs a timer; one that has nothing to take is left alone, an open stream too.
 */
export function cutSlowReaders(server: Server | TlsServer, secure: boolean, unreadMs = UNREAD_MS): void {
  const connections = new Map<Socket, Seen>();
  server.on(secure ? 'secureConnection' : 'connection', (socket: Socket) => {
    connections.set(socket, { taken: 0, stuck: 0 });
    socket.once('close', () => connections.delete(socket));
  });
  const look = setInterval(() => {
    for (const [socket, seen] of connections) {
      const waiting = socket.writableLength;
      const taken = socket.bytesWritten - waiting;
      seen.stuck = waiting > 0 && taken === seen.taken ? seen.stuck + 1 : 0;
      seen.taken = taken;
      if (seen.stuck >= LOOKS) socket.destroy();
    }
  }, unreadMs / LOOKS).unref();
  server.once('close', () => clearInterval(look));
}
