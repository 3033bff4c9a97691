import { listening } from '@portcullis/service/listener.http';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A port for gRPC that is taken already; until it is served, connections are cut. */
export interface GrpcPort {
  readonly server: Server;
  readonly host: string;
  readonly port: number;
  /** `host:port`, as a client is told it */
  readonly address: string;
}

const connected = new WeakMap<Server, (socket: Socket) => void>();
const open = new WeakMap<Server, Set<Socket>>();

/**
 * @param port 0 takes a free one
 * @param most connections at a time; further ones are cut unread
 * @throws Error naming host and port when the port is taken
 */
export async function bindGrpc(host: string, port: number, most = 1_024): Promise<GrpcPort> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    // a connection that is reset must not end the process, whoever looks after it by then
    socket.on('error', () => socket.destroy());
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    const take = connected.get(server);
    if (take === undefined) socket.destroy();
    else take(socket);
  });
  server.maxConnections = most;
  open.set(server, sockets);
  await listening(server, host, port);
  const taken = (server.address() as AddressInfo).port;
  return { server, host, port: taken, address: `${host.includes(':') ? `[${host}]` : host}:${taken}` };
}

/** Hands the port's connections over from now on. */
export const takeConnections = ({ server }: GrpcPort, take: (socket: Socket) => void): void =>
  void connected.set(server, take);

/** Takes no more connections; those there are stay. */
export const closePort = async ({ server }: GrpcPort): Promise<void> => void server.close();

/** Waits until the connections there are have ended, and cuts those that have not in that time. */
export async function connectionsGone({ server }: GrpcPort, withinMs: number): Promise<void> {
  const sockets = open.get(server) ?? new Set();
  const cut = setTimeout(() => sockets.forEach((socket) => socket.destroy()), withinMs);
  for (const socket of sockets) await new Promise((resolve) => socket.once('close', resolve));
  clearTimeout(cut);
}
