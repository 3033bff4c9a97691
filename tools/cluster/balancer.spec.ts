import { afterEach, expect, test } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { balance } from './balancer.mjs';

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

async function replica(name: string) {
  let hangs = false;
  const server: Server = createServer((request, response) => {
    if (!hangs) response.end(request.url === '/healthz' ? 'ok' : name);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  ends.push(stop);
  const { port } = server.address() as AddressInfo;
  return { port, management: `http://127.0.0.1:${port}`, stop, hang: () => void (hangs = true) };
}
const ask = async (port: number): Promise<string> =>
  (await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } })).text();

test('connections go to the replicas in turn, and to those that are left when one is gone', async () => {
  const [a, b] = [await replica('a'), await replica('b')];
  const front = await balance(0);
  ends.push(front.close);
  front.add(a);
  front.add(b);
  const answers = [await ask(front.port), await ask(front.port), await ask(front.port), await ask(front.port)];
  expect(answers.toSorted()).toEqual(['a', 'a', 'b', 'b']);
  await a.stop();
  expect([await ask(front.port), await ask(front.port)]).toEqual(['b', 'b']);
});

test('a replica that hangs is left out, and what hangs in it is cut', async () => {
  const [a, b] = [await replica('a'), await replica('b')];
  const front = await balance(0);
  ends.push(front.close);
  front.add(a);
  front.add(b);
  a.hang();
  const answers = [ask(front.port), ask(front.port)].map((answer) => answer.catch(() => 'cut'));
  expect((await Promise.all(answers)).toSorted()).toEqual(['b', 'cut']);
  expect([await ask(front.port), await ask(front.port), await ask(front.port)]).toEqual(['b', 'b', 'b']);
});

test('who connects while there is no replica is cut off', async () => {
  const front = await balance(0);
  ends.push(front.close);
  await expect(ask(front.port)).rejects.toThrow('fetch failed');
});
