import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ask } from './ask.http.js';
import { NotDone, Unreachable } from './faults.js';

let server: Server | undefined;
const stop = () => new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve()));
afterEach(stop);

async function serve(listener: RequestListener): Promise<string> {
  server = createServer(listener);
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('status, headers and text come back, whatever the status is', async () => {
  const url = await serve((request, response) => {
    response.writeHead(429, { 'retry-after': '7' }).end(`${request.method} ${request.headers['x-a']}`);
  });
  const reply = await ask(url, { method: 'POST', headers: { 'x-a': 'b' }, body: 'c' });
  expect([reply.status, reply.header('Retry-After'), reply.header('x-none'), reply.text]).toEqual([
    429,
    '7',
    undefined,
    'POST b',
  ]);
});

test('a redirect is an answer and not followed, so that a token goes nowhere else', async () => {
  let asked = 0;
  const url = await serve((_, response) => {
    asked += 1;
    response.writeHead(307, { location: '/elsewhere' }).end();
  });
  expect((await ask(url)).status).toBe(307);
  expect(asked).toBe(1);
});

test('an answer without end is cut off', async () => {
  const url = await serve((_, response) => {
    const more = () => response.write(Buffer.alloc(1024 * 1024), (error) => (error ? undefined : more()));
    more();
  });
  await expect(ask(url)).rejects.toThrow(/does not answer \(answer too large\)/);
}, 20_000);

test('where nobody listens, that is said, with the origin and never the path', async () => {
  const url = await serve(() => undefined);
  await stop();
  const asking = ask(`${url}/secret-path`);
  await expect(asking).rejects.toThrow(Unreachable);
  await expect(asking).rejects.toThrow(`${url} does not answer (ECONNREFUSED).`);
});

test('a connection that breaks is no proof that nobody is there', async () => {
  const url = await serve((request) => request.socket.destroy());
  const asking = ask(url);
  await expect(asking).rejects.toThrow(NotDone);
  await expect(asking).rejects.not.toThrow(Unreachable);
});
