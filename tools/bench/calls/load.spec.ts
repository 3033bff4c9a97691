import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { callBytes, load } from './load.mjs';

const GOOD = JSON.stringify({ name: 'Customer 42' });
let server: Server;

async function serving(listener: RequestListener): Promise<{ port: number; requests: Buffer[] }> {
  server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const { port } = server.address() as AddressInfo;
  return { port, requests: [callBytes({ port, tool: 'get_customer', customer: 'CUST-000042', token: 'x' })] };
}
afterEach(() => new Promise((resolve) => server.close(resolve)));

it('counts an answer as right only with status 200, the record, and no error', async () => {
  const answers: [number, string][] = [
    [200, GOOD],
    [200, 'not found'],
    [500, GOOD],
    [200, `${GOOD}"isError":true`],
  ];
  let next = 0;
  const found = await load({
    ...(await serving((request, response) => {
      const [status, body] = answers[next++]!;
      request.resume().on('end', () => response.writeHead(status).end(body));
    })),
    connections: 1,
    calls: answers.length,
  });
  expect(found).toMatchObject({ calls: 4, wrong: 3 });
  expect(found.firstWrong).toContain('not found');
});

it('reads answers that come in pieces, with and without their length said', async () => {
  let next = 0;
  const found = await load({
    ...(await serving((request, response) => {
      if (next++ % 2 === 0) response.setHeader('Content-Length', GOOD.length);
      response.write(GOOD.slice(0, 5));
      request.resume().on('end', () => setImmediate(() => response.end(GOOD.slice(5))));
    })),
    connections: 2,
    calls: 10,
  });
  expect(found).toMatchObject({ calls: 10, wrong: 0 });
});

it('uses each request once when it is good only once', async () => {
  const seen: (string | undefined)[] = [];
  const { port } = await serving((request, response) => {
    seen.push(request.headers.authorization);
    request.resume().on('end', () => response.end(GOOD));
  });
  const requests = ['a', 'b', 'c'].map((token) => callBytes({ port, tool: 't', customer: 'c', token }));
  const found = await load({ port, requests, connections: 2, once: true, seconds: 60 });
  expect(found).toMatchObject({ calls: 3, wrong: 0 });
  expect(seen.sort()).toEqual(['Bearer a', 'Bearer b', 'Bearer c']);
});

it('on a timetable, counts the wait for a free connection as part of a call', async () => {
  const found = await load({
    ...(await serving((request, response) => {
      request.resume().on('end', () => setTimeout(() => response.end(GOOD), 20));
    })),
    connections: 1,
    seconds: 0.2,
    rate: 100,
  });
  expect(found.wrong).toBe(0);
  // twice as many come as can be served, so that the last have waited for all before them
  expect(found.p99).toBeGreaterThan(100);
});
