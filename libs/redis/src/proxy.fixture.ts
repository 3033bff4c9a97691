import { once } from 'node:events';
import { createConnection, createServer, type AddressInfo, type Socket } from 'node:net';
import { Secret } from '@portcullis/contract/secret';

/** Stands between a client and a server, and breaks what it is told to break. */
export interface FaultProxy {
  /** the URL of the server, through here */
  readonly url: Secret;
  /** Holds back every answer, and takes connections all the same: what a paused server does. */
  pause(): void;
  resume(): void;
  /** From now on connections that come get no answer; those that are there go on. */
  holdNew(): void;
  /** Hands over what was held back of those. */
  letGo(): void;
  /** Ends every connection, and refuses new ones. */
  cut(): Promise<void>;
  mend(): Promise<void>;
  close(): Promise<void>;
}

/** @param server with host and port */
export async function faultProxy(server: Secret): Promise<FaultProxy> {
  const through = new URL(server.reveal());
  const to = { host: through.hostname, port: Number(through.port) };
  const open = new Set<Socket>();
  let paused = false;
  let holding = false;
  const held: (() => void)[] = [];
  const proxy = createServer((client) => {
    const upstream = createConnection(to);
    for (const [each, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(each);
      each.on('error', () => undefined);
      each.on('close', () => {
        open.delete(each);
        other.destroy();
      });
    }
    client.pipe(upstream);
    if (holding) held.push(() => upstream.pipe(client));
    else upstream.pipe(client);
    if (paused) upstream.pause().unpipe(client);
  });
  const listen = async (port: number): Promise<number> => {
    proxy.listen(port, '127.0.0.1');
    await once(proxy, 'listening');
    return (proxy.address() as AddressInfo).port;
  };
  const cut = async (): Promise<void> => {
    for (const socket of open) socket.destroy();
    if (!proxy.listening) return;
    proxy.close();
    await once(proxy, 'close');
  };
  const port = await listen(0);
  Object.assign(through, { hostname: '127.0.0.1', port: String(port) });
  return {
    url: new Secret(through.href),
    pause() {
      paused = true;
      for (const socket of open) socket.pause();
    },
    resume() {
      paused = false;
      for (const socket of open) socket.destroy();
    },
    holdNew: () => void (holding = true),
    letGo() {
      holding = false;
      for (const answer of held.splice(0)) answer();
    },
    cut,
    mend: async () => void (await listen(port)),
    close: cut,
  };
}
