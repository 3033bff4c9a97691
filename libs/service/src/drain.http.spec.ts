import { Registry } from 'prom-client';
import type { ServerResponse } from 'node:http';
import { drained } from './drain.http.js';
import { bind, listen } from './listener.http.js';
import { startManagement } from './management.http.js';

async function service() {
  const bound = await bind('127.0.0.1', 0);
  const management = await startManagement({
    host: '127.0.0.1',
    port: 0,
    checks: {},
    metrics: new Registry(),
    mode: 'hardened',
  });
  const ready = async () => {
    const answer = await fetch(`${management.url}/readyz`);
    return { status: answer.status, says: ((await answer.json()) as { status: string }).status };
  };
  return { bound, management, ready };
}

it('first says that it drains and serves on, then takes nothing new and finishes what is under way', async () => {
  const { bound, management, ready } = await service();
  const held: ServerResponse[] = [];
  listen(bound, (request, response) => (request.url === '/slow' ? held.push(response) : response.end('served')));
  expect(await ready()).toEqual({ status: 200, says: 'ready' });
  const slow = fetch(`${bound.url}/slow`).then((answer) => answer.text());
  while (held.length === 0) await turn();

  const done = drained(bound, management, { DRAIN_DELAY_MS: 300, SHUTDOWN_GRACE_MS: 10_000 });
  expect(await ready()).toEqual({ status: 503, says: 'draining' });
  expect(await (await fetch(bound.url)).text()).toBe('served');

  while (bound.server.listening) await turn();
  await expect(fetch(bound.url)).rejects.toThrow();
  expect(await ready()).toEqual({ status: 503, says: 'draining' });
  held[0]?.end('finished');
  expect(await slow).toBe('finished');
  await done;
  await expect(ready()).rejects.toThrow();
});

it('when the time of those under way is over, they are answered all the same, and what then still hangs is cut', async () => {
  const { bound, management } = await service();
  const held: ServerResponse[] = [];
  listen(bound, (_request, response) => held.push(response));
  const answers = ['/heeds', '/hangs'].map((path) =>
    fetch(bound.url + path).then(
      (answer) => answer.status,
      () => 'cut',
    ),
  );
  while (held.length < 2) await turn();
  const heeding = held.find(({ req }) => req.url === '/heeds');
  await drained(bound, management, { DRAIN_DELAY_MS: 0, SHUTDOWN_GRACE_MS: 50 }, () => heeding?.writeHead(503).end());
  expect(await Promise.all(answers)).toEqual([503, 'cut']);
});

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 10));
