import { jest } from '@jest/globals';
import { get, request, type IncomingMessage } from 'node:http';
import { Agent } from 'node:http';
import { connect } from 'node:net';
import { bind, closeBound, listen, type Bound } from './listener.http.js';

// what hangs is given 2 s before it is cut
jest.setTimeout(30_000);

const open: Bound[] = [];
const bound = async () => {
  const made = await bind('127.0.0.1', 0);
  open.push(made);
  return made;
};
afterEach(() => Promise.all(open.splice(0).map(closeBound)));

test('a bound port answers 503 in JSON until something is mounted, then what that says', async () => {
  const made = await bound();
  const early = await fetch(made.url);
  expect([early.status, early.headers.get('retry-after'), ((await early.json()) as { error: string }).error]).toEqual([
    503,
    '1',
    'overloaded',
  ]);
  listen(made, (_request, response) => response.end('here'));
  expect(await (await fetch(made.url)).text()).toBe('here');
  expect(made.url).toBe(`http://127.0.0.1:${made.port}`);
});

test('an IPv6 address stands in brackets in the URL', async () => {
  const made = await bind('::1', 0).catch((error: Error) => error);
  // a machine without IPv6 says so in our words
  if (made instanceof Error) return expect(made.message).toMatch(/^Cannot listen on ::1:0/);
  expect(made.url).toBe(`http://[::1]:${made.port}`);
  await closeBound(made);
});

test('a port that is taken is an error that names it', async () => {
  const made = await bound();
  await expect(bind('127.0.0.1', made.port)).rejects.toThrow(`Port ${made.port} on 127.0.0.1 is taken.`);
});

test('closing lets a request under way finish and takes no new one', async () => {
  const made = await bound();
  let finish = () => {};
  const arrived = new Promise<void>((resolve) => {
    listen(made, (_request, response) => {
      response.write('first ');
      finish = () => response.end('last');
      resolve();
    });
  });
  const answer = fetch(made.url);
  await arrived;
  const closed = closeBound(made);
  await expect(fetch(made.url)).rejects.toThrow();
  finish();
  expect(await (await answer).text()).toBe('first last');
  await closed;
});

test('closing does not wait for idle connections that clients keep', async () => {
  const made = await bound();
  listen(made, (_request, response) => response.end('ok'));
  const agent = new Agent({ keepAlive: true });
  await new Promise<void>((resolve, reject) => {
    get(made.url, { agent }, (response: IncomingMessage) => response.resume().on('end', resolve)).on('error', reject);
  });
  await closeBound(made);
  agent.destroy();
});

test('closing cuts a request that does not end, and closing twice is closing once', async () => {
  const made = await bound();
  listen(made, (_request, response) => void response.write('never ending'));
  const answer = fetch(made.url).then((response) => response.text());
  const cut = expect(answer).rejects.toThrow();
  await new Promise((resolve) => setTimeout(resolve, 50));
  await Promise.all([closeBound(made), closeBound(made)]);
  await cut;
});

test('while closing, an answer on a kept connection says that it is the last', async () => {
  const made = await bound();
  const held: (() => void)[] = [];
  listen(made, (_request, response) => void held.push(() => response.end('ok')));
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    request(made.url, { agent: new Agent({ keepAlive: true }) }, resolve)
      .on('error', reject)
      .end();
  });
  while (held.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  const closed = closeBound(made);
  held[0]!();
  (await answered).resume();
  await closed;
});

test('a request that is not HTTP is answered 400 without a word about us', async () => {
  const made = await bound();
  const text = await new Promise<string>((resolve, reject) => {
    let all = '';
    const socket = connect(made.port, '127.0.0.1', () => socket.write('NONSENSE\r\n\r\n'));
    socket
      .on('data', (chunk) => (all += chunk))
      .on('end', () => resolve(all))
      .on('error', reject);
  });
  expect(text).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
  expect(text).not.toMatch(/<|node|stack/i);
});
