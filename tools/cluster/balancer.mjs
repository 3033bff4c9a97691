// One address for the replicas of a service: connections are passed on in turn, as bytes, to replicas that answer.
import { connect, createServer } from 'node:net';

const ASKED_EVERY_MS = 500;
/** A replica that does not answer for so long gets no more connections, and those that it has are cut. */
const ANSWERS_WITHIN_MS = 1_500;

/** @typedef {{ port: number, management: string }} Replica `management`: where its /healthz is */

/**
 * Listens on a port of this machine. Who connects while no replica takes connections is cut off.
 * @param {number} port 0 = a free one
 * @returns {Promise<{ port: number, add(replica: Replica): void, close(): Promise<void> }>}
 */
export async function balance(port) {
  /** @type {(Replica & { answers: boolean, sockets: Set<import('node:net').Socket> })[]} */
  const replicas = [];
  /** @type {Set<import('node:net').Socket>} */
  const clients = new Set();
  let turn = 0;

  /**
   * @param {import('node:net').Socket} socket
   * @param {Set<import('node:net').Socket>} all
   */
  const keptIn = (socket, all) => {
    all.add(socket);
    socket.setNoDelay(true);
    return socket.on('error', () => {}).on('close', () => all.delete(socket));
  };

  /**
   * @param {import('node:net').Socket} client
   * @param {typeof replicas} left replicas that were not tried yet
   */
  const passOn = (client, [first, ...left]) => {
    if (first === undefined || client.destroyed) return client.destroy();
    const socket = keptIn(connect(first.port, '127.0.0.1'), first.sockets);
    let taken = false;
    socket.once('connect', () => {
      taken = true;
      client.pipe(socket).pipe(client);
    });
    socket.once('close', () => (taken ? client.destroy() : passOn(client, left)));
    client.once('close', () => socket.destroy());
  };

  const server = createServer({ pauseOnConnect: true }, (client) => {
    // when none is known to answer, trying is better than not
    const answering = replicas.filter(({ answers }) => answers);
    const all = answering.length === 0 ? replicas : answering;
    turn += 1;
    const at = all.length === 0 ? 0 : turn % all.length;
    passOn(keptIn(client, clients), [...all.slice(at), ...all.slice(0, at)]);
  });
  await new Promise((resolve, reject) =>
    server.once('error', reject).listen(port, '127.0.0.1', () => resolve(undefined)),
  );

  const ask = async (/** @type {typeof replicas[number]} */ replica) => {
    const asked = fetch(`${replica.management}/healthz`, { signal: AbortSignal.timeout(ANSWERS_WITHIN_MS) });
    replica.answers = await asked.then(
      ({ ok }) => ok,
      () => false,
    );
    if (!replica.answers) for (const socket of replica.sockets) socket.destroy();
  };
  const asking = setInterval(() => replicas.forEach((replica) => void ask(replica)), ASKED_EVERY_MS);
  asking.unref();

  const address = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    port: address.port,
    add: (replica) => void replicas.push({ ...replica, answers: true, sockets: new Set() }),
    close: () =>
      new Promise((resolve) => {
        clearInterval(asking);
        server.close(() => resolve());
        for (const socket of clients) socket.destroy();
      }),
  };
}
