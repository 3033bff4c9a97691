import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { acceptsEvents, eventOf, eventStream } from './event-stream.http.js';

it.each([
  ['application/json, text/event-stream', true],
  ['text/event-stream', true],
  ['TEXT/EVENT-STREAM;q=0.5', true],
  ['text/event-stream; charset=utf-8', true],
  ['text/event-stream;q=0.001', true],
  ['text/event-stream;q=0', false],
  ['text/event-stream; q=0.000, application/json', false],
  ['application/json', false],
  ['text/event-streams', false],
  ['*/*', false],
  [undefined, false],
])('a client that accepts %s reads event streams: %s', (accept, reads) => {
  expect(acceptsEvents(accept)).toBe(reads);
});

it('an event is one line of data', () => {
  expect(eventOf(JSON.stringify({ a: 'x\ny' }))).toBe('event: message\ndata: {"a":"x\\ny"}\n\n');
});

describe('a stream', () => {
  it('that nobody reads keeps no more than its bound, and says what it left out', async () => {
    await withResponse(async (response) => {
      const outlet = eventStream(response);
      const big = { text: 'x'.repeat(64 * 1024) };
      let left = 0;
      while (outlet.send(big)) left += 1;
      expect(left).toBeGreaterThan(0);
      expect(response.writableLength).toBeLessThan(1024 * 1024);
    });
  });

  it('tells once that it is closed, also whoever asks afterwards; what is sent then is left out', async () => {
    await withResponse(async (response) => {
      const outlet = eventStream(response);
      let closed = 0;
      const told = new Promise<void>((resolve) =>
        outlet.onClosed(() => {
          closed += 1;
          resolve();
        }),
      );
      outlet.cut();
      await told;
      outlet.onClosed(() => (closed += 1));
      outlet.keepAlive();
      outlet.end();
      expect([closed, outlet.send({})]).toEqual([2, false]);
    });
  });
});

/** The server's side of a request whose client has read the head of the answer, and reads no further. */
async function withResponse(use: (response: ServerResponse) => Promise<void>): Promise<void> {
  const server = createServer();
  const arrived = new Promise<ServerResponse>((resolve) =>
    server.once('request', (_request, response) => resolve(response)),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const client = request({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
  const answered = new Promise<IncomingMessage>((resolve) => client.once('response', resolve));
  client.on('error', () => {});
  client.end();
  const response = await arrived;
  response.writeHead(200).flushHeaders();
  (await answered).on('error', () => {}).pause();
  await use(response);
  client.destroy();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
