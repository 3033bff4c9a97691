import type { RequestListener } from 'node:http';
import { fetchInside } from './fetch-inside.http.js';
import { bind, closeBound, listen, type Bound } from './listener.http.js';

let bound: Bound;
let answer: RequestListener;
beforeAll(async () => {
  bound = await bind('127.0.0.1', 0);
  listen(bound, (request, response) => answer(request, response));
});
afterAll(() => closeBound(bound));

test('answers status, headers and body', async () => {
  answer = (request, response) => {
    response.writeHead(201, { 'X-Said': request.headers.authorization ?? '' });
    request.pipe(response);
  };
  const response = await fetchInside(bound.url, {
    method: 'POST',
    body: '{"a":1}',
    headers: { Authorization: 'Bearer t' },
  });
  expect([response.status, response.headers.get('x-said'), await response.json()]).toEqual([201, 'Bearer t', { a: 1 }]);
});

test('an answer without a body is one', async () => {
  answer = (_request, response) => void response.writeHead(204).end();
  expect((await fetchInside(bound.url, { method: 'DELETE' })).status).toBe(204);
});

test('follows no redirect', async () => {
  answer = (_request, response) => void response.writeHead(302, { Location: 'http://169.254.169.254/' }).end();
  await expect(fetchInside(bound.url)).rejects.toThrow();
});

test('gives up on an answer that does not come in time', async () => {
  answer = () => {};
  await expect(fetchInside(bound.url, { timeoutMs: 50 })).rejects.toMatchObject({ name: 'TimeoutError' });
});

test('gives up on a body that does not end in time', async () => {
  answer = (_request, response) => void response.write('some');
  await expect(fetchInside(bound.url, { timeoutMs: 50 })).rejects.toMatchObject({ name: 'TimeoutError' });
});

test('gives up on a body that is too large, whatever it announced', async () => {
  answer = (_request, response) => {
    response.on('error', () => {});
    for (let at = 0; at < 20; at++) response.write('x'.repeat(1000));
    response.end();
  };
  await expect(fetchInside(bound.url, { maxBytes: 5000 })).rejects.toThrow(/larger than 5000 bytes/);
});

test('ends when its caller does', async () => {
  answer = () => {};
  await expect(fetchInside(bound.url, { signal: AbortSignal.timeout(20) })).rejects.toMatchObject({
    name: 'TimeoutError',
  });
});
