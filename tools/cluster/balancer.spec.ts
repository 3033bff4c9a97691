import { afterEach, expect, test } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { balance } from './balancer.mjs';

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

async function replica(name: string): Promise<{ port: number; stop(): Promise<void> }> {
  const server: Server = createServer((_request, response) => response.end(name));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  ends.push(stop);
  return { port: (server.address() as AddressInfo).port, stop };
}
const ask = async (port: number): Promise<string> =>
  (await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } })).text();

test('connections go to the replicas in turn, and to those that are left when one is gone', async () => {
  const [a, b] = [await replica('a'), await replica('b')];
  const front = await balance(0);
  ends.push(front.close);
  front.replicas.add(a.port).add(b.port);
  const answers = [await ask(front.port), await ask(front.port), await ask(front.port), await ask(front.port)];
  expect(answers.toSorted()).toEqual(['a', 'a', 'b', 'b']);
  await a.stop();
  expect([await ask(front.port), await ask(front.port)]).toEqual(['b', 'b']);
});

test('who connects while there is no replica is cut off', async () => {
  const front = await balance(0);
  ends.push(front.close);
  await expect(ask(front.port)).rejects.toThrow('fetch failed');
});
