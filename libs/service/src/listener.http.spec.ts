import { jest } from '@jest/globals';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
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
afterEach(() => Promise.all(open.splice(0).map((bound) => closeBound(bound))));

test('a bound port answers 503 in JSON until something is mounted, then what that says', async () => {
  const made = await bound();
  const early = await fetch(made.url);
  expect(early.headers.get('x-frame-options')).toBe('DENY');
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

test('closing cuts a request that does not end, and closing twice is closing once', async () => {
  const made = await bound();
  listen(made, (_request, response) => void response.write('never ending'));
  const answer = fetch(made.url).then((response) => response.text());
  const cut = expect(answer).rejects.toThrow();
  await new Promise((resolve) => setTimeout(resolve, 50));
  await Promise.all([closeBound(made), closeBound(made)]);
  await cut;
});

test('while closing, a request that comes on a kept connection is answered, and told that it was the last', async () => {
  const made = await bound();
  const held: (() => void)[] = [];
  listen(made, (request, response) => void held.push(() => response.end(request.url)));
  const arrived = async (count: number) => {
    while (held.length < count) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  let text = '';
  const socket = connect(made.port, '127.0.0.1');
  const ended = new Promise((resolve) => socket.on('data', (chunk) => (text += chunk)).on('end', resolve));
  socket.write('GET /first HTTP/1.1\r\nHost: x\r\n\r\n');
  await arrived(1);
  const closed = closeBound(made);
  socket.write('GET /second HTTP/1.1\r\nHost: x\r\n\r\n');
  await arrived(2);
  held.forEach((answer) => answer());
  await Promise.all([closed, ended]);
  const [first, second] = text.split('/first');
  expect(first).not.toMatch(/connection: close/i);
  expect(second).toMatch(/connection: close/i);
  expect(second).toMatch(/\/second$/);
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

test('of requests sent ahead on one connection sixteen wait, and the next is told to wait for answers', async () => {
  const made = await bound();
  const held: ServerResponse[] = [];
  listen(made, (_request, response) => void held.push(response));
  const socket = connect(made.port, '127.0.0.1');
  let answers = '';
  socket.on('data', (bytes: Buffer) => (answers += bytes.toString()));
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(40));
  while (held.length < 17) await new Promise((resolve) => setTimeout(resolve, 5));
  const ended = new Promise((resolve) => socket.once('close', resolve));
  for (const response of held) response.end('here');
  await ended;
  expect(held).toHaveLength(17);
  expect(answers.match(/HTTP\/1\.1 \d+/g)).toEqual([...Array(17).fill('HTTP/1.1 200'), 'HTTP/1.1 503']);
});

test('a request whose connection was reset behind it is known by its address', async () => {
  const made = await bound();
  const address = new Promise<string | undefined>((resolve) =>
    listen(made, (request) => resolve(request.socket.remoteAddress)),
  );
  const accepted = once(made.server, 'connection');
  const client = connect(made.port, '127.0.0.1').on('error', () => undefined);
  await accepted;
  client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  client.resetAndDestroy();
  expect(await address).toBe('127.0.0.1');
});
