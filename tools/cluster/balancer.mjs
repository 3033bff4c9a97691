// One address for the replicas of a service: connections are passed on in turn, as bytes, to replicas that take them.
import { connect, createServer } from 'node:net';

/**
 * Listens on a port of this machine. Who connects while no replica takes connections is cut off.
 * @param {number} port 0 = a free one
 * @returns {Promise<{ port: number, replicas: Set<number>, close(): Promise<void> }>} `replicas`: their ports, to be filled in
 */
export async function balance(port) {
  /** @type {Set<number>} */
  const replicas = new Set();
  /** @type {Set<import('node:net').Socket>} */
  const open = new Set();
  let turn = 0;

  /** @param {import('node:net').Socket} socket */
  const kept = (socket) => {
    open.add(socket);
    socket.setNoDelay(true);
    return socket.on('error', () => {}).on('close', () => open.delete(socket));
  };

  /**
   * @param {import('node:net').Socket} client
   * @param {readonly number[]} left replicas that were not tried yet
   */
  const passOn = (client, [first, ...left]) => {
    if (first === undefined || client.destroyed) return client.destroy();
    const replica = kept(connect(first, '127.0.0.1'));
    let taken = false;
    replica.once('connect', () => {
      taken = true;
      client.pipe(replica).pipe(client);
    });
    replica.once('close', () => (taken ? client.destroy() : passOn(client, left)));
    client.once('close', () => replica.destroy());
  };

  const server = createServer({ pauseOnConnect: true }, (client) => {
    const all = [...replicas];
    turn += 1;
    const at = all.length === 0 ? 0 : turn % all.length;
    passOn(kept(client), [...all.slice(at), ...all.slice(0, at)]);
  });
  await new Promise((resolve, reject) =>
    server.once('error', reject).listen(port, '127.0.0.1', () => resolve(undefined)),
  );
  const address = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    port: address.port,
    replicas,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}
