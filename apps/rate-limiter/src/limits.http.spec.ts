import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { Refusal } from '@portcullis/contract/refusals';
import { memoryLimiter } from '@portcullis/limits/limiter.memory';
import { problemOf } from '@portcullis/service/problem';
import type { AskerOf, Known } from './asker.js';
import { MAX_BODY } from './bounds.js';
import { limitsEndpoint, type LimitsEndpoint } from './limits.http.js';

const asker = { tenant: 'default', allTenants: false, taker: 'client gateway' };
const known: Known = { asker, dpopNonce: undefined, expectStill() {} };

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** The endpoint alone on a port; what it passes on is answered as every API of ours answers it. */
async function started(more: Partial<LimitsEndpoint> = {}) {
  const limiter = memoryLimiter({ now: () => 1_700_000_012_345, random: randomBytes });
  const endpoint = limitsEndpoint({
    ...{ limiter, askerOf: () => known, trustedProxies: [], newId: () => 'c' },
    ...{ checks: (_request, _response, next) => next(), ...more },
  });
  const server = createServer((request, response) =>
    endpoint(request, response, (error) => {
      if (error === undefined) return response.writeHead(404).end('passed on');
      const { status, body } = problemOf(error, { correlationId: 'c' });
      return response.writeHead(status).end(JSON.stringify(body));
    }),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  closing.push(
    () => new Promise((resolve) => (server.close(resolve), server.closeAllConnections())),
    () => limiter.close(),
  );
  /** What comes back for these bytes, until the connection is closed or the answer is whole. */
  const raw = (...pieces: readonly (string | Uint8Array)[]): Promise<string> =>
    new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1');
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk;
        if (/^content-length: (\d+)\r\n[^]*\r\n\r\n[^]*\}$/im.test(text) || text.endsWith('0\r\n\r\n'))
          socket.destroy();
      });
      socket.on('close', () => resolve(text)).on('error', () => {});
      for (const piece of pieces) socket.write(piece);
    });
  const post = (body: string | Uint8Array, headers = '', path = '/v1/decide') =>
    raw(`POST ${path} HTTP/1.1\r\nHost: x\r\n${headers}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n`, body);
  const remaining = () => limiter.decide({ principal: 'agt_one' }).remaining;
  return { limiter, raw, post, remaining };
}

const JSON_TYPE = 'Content-Type: application/json\r\n';
const question = JSON.stringify({ principal: 'agt_one' });
const statusOf = (answer: string): number => Number(/^HTTP\/1.1 (\d+)/.exec(answer)?.[1]);
const errorOf = (answer: string): string | undefined => /"error":"(\w+)"/.exec(answer)?.[1];

test('a decision carries the headers of its limit', async () => {
  const { post } = await started();
  const answer = await post(question, JSON_TYPE);
  expect(statusOf(answer)).toBe(200);
  expect(answer).toMatch(/^RateLimit: "requests";r=59;t=60\r$/m);
  expect(answer).toMatch(/^RateLimit-Policy: "requests";q=60;w=60\r$/m);
  expect(answer).toMatch(/^Content-Type: application\/json; charset=utf-8\r$/m);
});

test.each(['nobody_has_it', '__proto__', '*'])(
  'the tool %s, which no rule names, has the limits of all others',
  async (tool) => {
    const { post } = await started();
    const answer = await post(JSON.stringify({ principal: 'agt_one', tool, llmTokens: 100_000 }), JSON_TYPE);
    expect(answer).toMatch(/"allowed":true.*"remaining":59,"limit":60/);
    const next = await post(JSON.stringify({ principal: 'agt_one', tool }), JSON_TYPE);
    expect(next).toMatch(/"allowed":false,"limitType":"llm_tokens"/);
  },
);

test.each([
  'application/json',
  'application/json; charset=utf-8',
  'application/json;charset="UTF-8"',
  'Application/JSON',
])('the type %s is read', async (type) => {
  const { post } = await started();
  expect(statusOf(await post(question, `Content-Type: ${type}\r\n`))).toBe(200);
});

test.each<[string, string | Uint8Array, string, number, string]>([
  ['no type', question, '', 415, 'media_type_unsupported'],
  ['another type', question, 'Content-Type: text/plain\r\n', 415, 'media_type_unsupported'],
  ['another charset', question, 'Content-Type: application/json; charset=latin1\r\n', 415, 'media_type_unsupported'],
  ['a compressed body', question, `${JSON_TYPE}Content-Encoding: gzip\r\n`, 415, 'media_type_unsupported'],
  ['no body', '', JSON_TYPE, 400, 'input_invalid'],
  ['half a body', '{"principal":', JSON_TYPE, 400, 'json_malformed'],
  ['a text', '"principal"', JSON_TYPE, 400, 'json_malformed'],
  ['null', 'null', JSON_TYPE, 400, 'json_malformed'],
  ['a byte order mark', `\uFEFF${question}`, JSON_TYPE, 400, 'json_malformed'],
  ['what is not UTF-8', Buffer.from('{"principal":"\xff"}', 'latin1'), JSON_TYPE, 400, 'json_malformed'],
  ['NaN', '{"principal":"agt_one","llmTokens":NaN}', JSON_TYPE, 400, 'json_malformed'],
  ['a number beyond all', '{"principal":"agt_one","llmTokens":1e999}', JSON_TYPE, 400, 'input_invalid'],
  ['lists in lists', '['.repeat(8_000) + ']'.repeat(8_000), JSON_TYPE, 400, 'input_invalid'],
  ['one byte too much', question.padEnd(MAX_BODY + 1), JSON_TYPE, 413, 'body_too_large'],
])('%s is refused, and takes nothing', async (_what, body, headers, status, error) => {
  const { post, remaining } = await started();
  const answer = await post(body, headers);
  expect([statusOf(answer), errorOf(answer)]).toEqual([status, error]);
  expect(remaining()).toBe(59);
});

test('the longest body that fits is read, in pieces too', async () => {
  const { post, raw } = await started();
  expect(statusOf(await post(question.padEnd(MAX_BODY), JSON_TYPE))).toBe(200);
  const pieces = [...question].map((letter) => `1\r\n${letter}\r\n`);
  const head = `POST /v1/decide HTTP/1.1\r\nHost: x\r\n${JSON_TYPE}Transfer-Encoding: chunked\r\n\r\n`;
  expect(statusOf(await raw(head, ...pieces, '0\r\n\r\n'))).toBe(200);
});

test('a body that says nothing of its length is cut where it is too long', async () => {
  const { raw, remaining } = await started();
  const head = `POST /v1/decide HTTP/1.1\r\nHost: x\r\n${JSON_TYPE}Transfer-Encoding: chunked\r\n\r\n`;
  const answer = await raw(head, `${(MAX_BODY + 1).toString(16)}\r\n${' '.repeat(MAX_BODY + 1)}\r\n`);
  expect([statusOf(answer), errorOf(answer)]).toEqual([413, 'body_too_large']);
  expect(remaining()).toBe(59);
});

test('a body that does not come is not waited for, and its connection is closed', async () => {
  const { raw, remaining } = await started({ bodyMs: 30 });
  const head = `POST /v1/decide HTTP/1.1\r\nHost: x\r\n${JSON_TYPE}Content-Length: 100\r\n\r\n{"principal"`;
  const answer = await raw(head);
  expect([statusOf(answer), errorOf(answer)]).toEqual([408, 'request_timeout']);
  expect(answer).toMatch(/^Connection: close\r$/m);
  expect(remaining()).toBe(59);
});

test('who is not let in is told so before any of the body came', async () => {
  const askerOf: AskerOf = () => Promise.reject(new Refusal('token_missing'));
  const { raw } = await started({ askerOf });
  const answer = await raw('POST /v1/decide HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n');
  expect([statusOf(answer), errorOf(answer)]).toEqual([401, 'token_missing']);
});

test('who is contained while a body comes is refused', async () => {
  let contained = false;
  const expectStill = (): void => {
    if (contained) throw new Refusal('quarantined');
  };
  const askerOf: AskerOf = () => ((contained = true), { ...known, expectStill });
  const { post, remaining } = await started({ askerOf });
  const answer = await post(question, JSON_TYPE);
  expect([statusOf(answer), errorOf(answer)]).toEqual([403, 'quarantined']);
  expect(remaining()).toBe(59);
});

test.each([
  ['GET', '/v1/decide'],
  ['PUT', '/v1/decide'],
  ['POST', '/v1/rules'],
  ['POST', '/v1/decide/'],
  ['POST', '/V1/decide'],
  ['POST', '/v1/%64ecide'],
])('%s %s is passed on', async (method, path) => {
  const { raw } = await started();
  expect(await raw(`${method} ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n`)).toMatch(/passed on/);
});

test('a query changes nothing', async () => {
  const { post } = await started();
  expect(statusOf(await post(question, JSON_TYPE, '/v1/decide?principal=other'))).toBe(200);
});

test('a settlement that comes again is not one', async () => {
  const { limiter, post } = await started();
  const verdict = limiter.decide({ principal: 'agt_one', llmTokens: 1_000 }, asker.taker);
  const lease = verdict.allowed ? verdict.lease : '';
  const settle = () => post(JSON.stringify({ lease, llmTokens: 5 }), JSON_TYPE, '/v1/settle');
  expect(await settle()).toMatch(/\{"settled":true\}$/);
  expect(await settle()).toMatch(/\{"settled":false\}$/);
  expect(limiter.decide({ principal: 'agt_one', llmTokens: 1_000_000 }).remaining).toBe(99_995);
});
