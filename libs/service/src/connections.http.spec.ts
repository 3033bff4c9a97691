import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { watchConnections } from './connections.http.js';

const REQUEST = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
const LARGE = Buffer.alloc(32 * 1024 * 1024);

async function serving<T>(listener: RequestListener, use: (port: number) => Promise<T>): Promise<T> {
  const server = createServer({ keepAliveTimeout: 200 }, listener);
  watchConnections(server, false, 120);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    return await use((server.address() as AddressInfo).port);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}
const asking = (port: number) => {
  const socket = connect(port, '127.0.0.1');
  socket.write(REQUEST);
  return socket;
};

it('a client that does not read its answer is cut', async () => {
  let ended: (finished: boolean) => void;
  const end = new Promise<boolean>((resolve) => (ended = resolve));
  const answer: RequestListener = (_request, response) => {
    response.on('close', () => ended(response.writableFinished)).end(LARGE);
  };
  await serving(answer, async (port) => {
    const socket = asking(port)
      .pause()
      .on('error', () => undefined);
    expect(await end).toBe(false);
    socket.destroy();
  });
});

it('a client that reads, however much, and one that has nothing to read are left alone', async () => {
  const answer: RequestListener = (_request, response) => {
    response.write('begun');
    setTimeout(() => response.end(LARGE), 500);
  };
  await serving(answer, async (port) => {
    let read = 0;
    const socket = asking(port).on('data', (chunk: Buffer) => (read += chunk.length));
    while (read < LARGE.length) await once(socket, 'data');
    expect(socket.destroyed).toBe(false);
    socket.destroy();
  });
});

describe('a connection that is kept for the next request', () => {
  const answer: RequestListener = (_request, response) => void response.end();

  it('is cut when none comes', async () => {
    await serving(answer, async (port) => {
      const socket = asking(port).resume();
      await once(socket, 'close');
    });
  });

  it('tells who asks that it was quiet', async () => {
    let told: () => void;
    const quiet = new Promise<void>((resolve) => (told = resolve));
    const listener: RequestListener = ({ socket }, response) => {
      response.write('begun');
      socket.setTimeout(50, () => told());
    };
    await serving(listener, async (port) => {
      const socket = asking(port).resume();
      await expect(quiet).resolves.toBeUndefined();
      socket.destroy();
    });
  });

  it('is kept while requests come, and while one is being answered', async () => {
    let slow = false;
    const listener: RequestListener = (_request, response) => void setTimeout(() => response.end(), slow ? 700 : 1);
    await serving(listener, async (port) => {
      const socket = asking(port);
      await once(socket, 'data');
      for (let times = 0; times < 6; times++) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        socket.write(REQUEST);
        await once(socket, 'data');
      }
      slow = true;
      socket.write(REQUEST);
      await once(socket, 'data');
      expect(socket.destroyed).toBe(false);
      socket.destroy();
    });
  });
});
