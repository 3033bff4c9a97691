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
  /** how long the server lets it be quiet, ms; 0 = for ever */
  mayBeQuiet: number;
  /** how often it was looked at since that was said */
  quiet: number;
}

/**
 * Cuts clients that do not read their answers, which would keep them in our memory for ever, and those whose next request does
 * not come (the server's keepAliveTimeout). Connections are looked at now and then, so that no answer costs a timer: Node
 * would set one after each and clear it before the next. One that has nothing to take is left alone, an open stream too.
 */
export function watchConnections(server: Server | TlsServer, secure: boolean, unreadMs = UNREAD_MS): void {
  const connections = new Map<Socket, Seen>();
  const lookEvery = unreadMs / LOOKS;
  server.on(secure ? 'secureConnection' : 'connection', (socket: Socket) => {
    const seen: Seen = { taken: 0, stuck: 0, mayBeQuiet: 0, quiet: 0 };
    connections.set(socket, seen);
    socket.once('close', () => connections.delete(socket));
    noted(socket, seen);
  });
  const look = setInterval(() => {
    for (const [socket, seen] of connections) {
      const waiting = socket.writableLength;
      const taken = socket.bytesWritten - waiting;
      seen.stuck = waiting > 0 && taken === seen.taken ? seen.stuck + 1 : 0;
      seen.taken = taken;
      seen.quiet += 1;
      // the first look may come right after it was said
      const overdue = seen.mayBeQuiet > 0 && (seen.quiet - 1) * lookEvery >= seen.mayBeQuiet;
      if (seen.stuck >= LOOKS || overdue) socket.destroy();
    }
  }, lookEvery).unref();
  server.once('close', () => clearInterval(look));
}

/**
 * Puts a note in the place of the socket's timer, with which the server says that it waits for a request, or has one. Whoever
 * wants to be told when it is over gets the timer back.
 */
function noted(socket: Socket, seen: Seen): void {
  const { setTimeout } = socket;
  socket.setTimeout = (ms, callback) => {
    seen.mayBeQuiet = callback === undefined ? ms : 0;
    seen.quiet = 0;
    if (callback === undefined) return socket;
    socket.setTimeout = setTimeout;
    return socket.setTimeout(ms, callback);
  };
}
