import { status } from '@grpc/grpc-js';
import { randomBytes } from 'node:crypto';
import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2';
import { connect } from 'node:net';
import { Refusal } from '@portcullis/contract/refusals';
import { silentLog } from '@portcullis/contract/log';
import { parseRange } from '@portcullis/guard/addresses';
import { newId } from '@portcullis/guard/new-id.memory';
import { memoryLimiter } from '@portcullis/limits/limiter.memory';
import type { AskerOf, Known } from './asker.js';
import { bindGrpc, closePort } from './grpc-port.http.js';
import { descriptor, rpcClient } from './grpc.fixture.js';
import { serveRateLimits, type RateLimitServiceParts } from './rate-limit.grpc.js';

const asker = { tenant: 'default', allTenants: false, taker: 'client gateway' };
const known: Known = { asker, dpopNonce: undefined, expectStill() {} };
const PATH = '/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit';
const question = { descriptors: [descriptor({ principal: 'agt_one' })] };

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function started(more: Partial<RateLimitServiceParts> = {}) {
  const limiter = memoryLimiter({ now: () => 1_700_000_012_345, random: randomBytes });
  const codes: number[] = [];
  const port = await bindGrpc('127.0.0.1', 0);
  const end = serveRateLimits(port, {
    ...{ limiter, random: () => 0.5, askerOf: () => known, forceHttps: false, trustedProxies: [] },
    ...{ log: silentLog, newId, observe: (code: number) => void codes.push(code), ...more },
  });
  const client = rpcClient(port.address);
  closing.push(() => end(100), client.close);
  const left = (): number => limiter.decide({ principal: 'agt_one' }).remaining;
  return { port, end, client, codes, left };
}

/** One message in its frame (gRPC over HTTP/2, "Length-Prefixed-Message"). */
function framed(message: Uint8Array, compressed = 0): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(compressed, 0);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** Sends bytes as they are, and gives the status that comes back. @param end whether the sender says that it is done */
async function raw(address: string, bytes: Uint8Array, { path = PATH, end = true, type = 'application/grpc' } = {}) {
  const session: ClientHttp2Session = connectHttp2(`http://${address}`);
  closing.push(() => session.destroy());
  const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': type, te: 'trailers' });
  const got: Record<string, unknown> = {};
  stream
    .on('response', (headers) => Object.assign(got, headers))
    .on('trailers', (headers) => Object.assign(got, headers));
  stream.on('error', () => {});
  stream.write(bytes);
  if (end) stream.end();
  stream.resume();
  await new Promise((resolve) => stream.once('end', resolve).once('close', resolve));
  return {
    http: got[':status'],
    code: Number(got['grpc-status']),
    says: decodeURIComponent(String(got['grpc-message'] ?? '')),
  };
}

describe('messages that are none', () => {
  const field = (number: number, bytes: Uint8Array): Buffer => Buffer.from([(number << 3) | 2, bytes.length, ...bytes]);
  const entry = field(1, Buffer.concat([field(1, Buffer.from('principal')), field(2, Buffer.from([0xff, 0xfe]))]));

  test.each<[string, Buffer, number, RegExp]>([
    ['one that is too long', framed(Buffer.alloc(20_000)), status.RESOURCE_EXHAUSTED, /larger than max/],
    ['one that is no protobuf', framed(Buffer.from('ffffffffffffff', 'hex')), status.INTERNAL, /./],
    ['one whose text is not UTF-8', framed(field(2, entry)), status.INVALID_ARGUMENT, /principal: is not UTF-8/],
    ['one that says it is compressed and is not', framed(Buffer.from([1, 2, 3]), 1), status.INTERNAL, /./],
    ['an empty one', framed(Buffer.alloc(0)), status.INVALID_ARGUMENT, /descriptors: is empty/],
  ])('%s is refused, without a word of what it was', async (_what, bytes, code, says) => {
    const { port, left, client } = await started();
    const answer = await raw(port.address, bytes);
    expect(answer).toMatchObject({ code, says: expect.stringMatching(says) });
    expect(answer.says).not.toMatch(/\.js|node_modules|at .*\(/);
    expect((await client.ask(question)).code).toBe(status.OK);
    expect(left()).toBe(58);
  });

  test('what would unpack to far more is not unpacked', async () => {
    const { gzipSync } = await import('node:zlib');
    const { port, left } = await started();
    const bomb = framed(gzipSync(Buffer.alloc(10_000_000)), 1);
    expect(bomb.length).toBeLessThan(16 * 1024);
    const session = connectHttp2(`http://${port.address}`);
    closing.push(() => session.destroy());
    const stream = session.request({
      ...{
        ':method': 'POST',
        ':path': PATH,
        'content-type': 'application/grpc',
        te: 'trailers',
        'grpc-encoding': 'gzip',
      },
    });
    const code = new Promise((resolve) => {
      const of = (headers: object) => 'grpc-status' in headers && resolve(Number(headers['grpc-status']));
      stream.on('response', of).on('trailers', of);
    });
    stream.end(bomb);
    expect(await code).toBe(status.RESOURCE_EXHAUSTED);
    expect(left()).toBe(59);
  });
});

test('no other method, no reflection and no health service is there', async () => {
  const { port } = await started();
  for (const path of [
    '/envoy.service.ratelimit.v3.RateLimitService/Other',
    '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
    '/grpc.health.v1.Health/Check',
    '/',
  ]) {
    expect((await raw(port.address, framed(Buffer.alloc(0)), { path })).code).toBe(status.UNIMPLEMENTED);
  }
  expect((await raw(port.address, Buffer.from('{}'), { type: 'application/json' })).http).toBe(415);
});

test('a message that does not come is not waited for', async () => {
  const { port, codes } = await started({ messageMs: 30 });
  expect(await raw(port.address, framed(Buffer.alloc(100)).subarray(0, 20), { end: false })).toMatchObject({
    code: status.DEADLINE_EXCEEDED,
    says: 'request_timeout: The message did not arrive in time.',
  });
  expect(codes).toEqual([status.DEADLINE_EXCEEDED]);
});

test('more calls at a time than are taken on are told so before anything is asked of them', async () => {
  const waiting: (() => void)[] = [];
  const askerOf: AskerOf = () => new Promise((resolve) => waiting.push(() => resolve(known)));
  const { client, left } = await started({ askerOf, mostCalls: 2 });
  const two = [client.ask(question), client.ask(question)];
  while (waiting.length < 2) await new Promise(setImmediate);
  expect(await client.ask(question)).toMatchObject({
    code: status.UNAVAILABLE,
    details: expect.stringMatching(/^overloaded: /),
  });
  waiting.forEach((go) => go());
  expect((await Promise.all(two)).map(({ code }) => code)).toEqual([status.OK, status.OK]);
  expect(left()).toBe(57);
  const again = client.ask(question);
  while (waiting.length < 3) await new Promise(setImmediate);
  waiting[2]!();
  expect((await again).code).toBe(status.OK);
});

test('what breaks inside is internal, and nobody is told what', async () => {
  const askerOf: AskerOf = () => Promise.reject(new Error('redis.internal is down'));
  const { client } = await started({ askerOf });
  const { code, details } = await client.ask(question);
  expect([code, details]).toEqual([status.INTERNAL, expect.stringMatching(/^internal: /)]);
  expect(details).not.toMatch(/redis/);
});

test('a limiter that cannot decide is unavailable, so that the gateway does as it is set to', async () => {
  const limiter = {
    decide: () => Promise.reject(new Refusal('overloaded', { retryAfterMs: 200 }, { detail: 'Redis is away' })),
    ...{ settle: () => false, release: () => false, close: async () => {} },
  };
  const { client } = await started({ limiter });
  const { code, details, metadata } = await client.ask(question);
  expect([code, metadata.get('retry-after')]).toEqual([status.UNAVAILABLE, ['1']]);
  expect(details).not.toMatch(/Redis/);
});

test('who is contained while the message comes is refused', async () => {
  const expectStill = (): void => {
    throw new Refusal('quarantined');
  };
  const { client, left } = await started({ askerOf: () => ({ ...known, expectStill }) });
  expect((await client.ask(question)).code).toBe(status.PERMISSION_DENIED);
  expect(left()).toBe(59);
});

test('where https is forced, only TLS and a trusted proxy that says https will do', async () => {
  const { client } = await started({ forceHttps: true, trustedProxies: [] });
  const refused = { code: status.PERMISSION_DENIED, details: expect.stringContaining('https_required') };
  expect(await client.ask(question)).toMatchObject(refused);
  expect(await client.ask(question, { 'x-forwarded-proto': 'https' })).toMatchObject(refused);
  const behind = await started({ forceHttps: true, trustedProxies: [parseRange('127.0.0.1')] });
  expect((await behind.client.ask(question, { 'x-forwarded-proto': 'https' })).code).toBe(status.OK);
  expect(await behind.client.ask(question, { 'x-forwarded-proto': 'https, http' })).toMatchObject(refused);
  expect(await behind.client.ask(question)).toMatchObject(refused);
});

test('failures count for the address that a trusted proxy names', async () => {
  const addresses: string[] = [];
  const askerOf: AskerOf = ({ address }) => (addresses.push(address), known);
  const { client } = await started({ askerOf, trustedProxies: [parseRange('127.0.0.1')] });
  await client.ask(question, { 'x-forwarded-for': '203.0.113.7, 127.0.0.1' });
  await client.ask(question);
  expect(addresses).toEqual(['203.0.113.7', '127.0.0.1']);
});

test('a call under way has its answer before the service is gone, and a new one is not taken', async () => {
  let go = (): void => {};
  const askerOf: AskerOf = () => new Promise((resolve) => (go = () => resolve(known)));
  const { client, end, port } = await started({ askerOf });
  const underWay = client.ask(question);
  const before = go;
  while (go === before) await new Promise(setImmediate);
  const ended = end(10_000);
  await expect(
    new Promise((resolve, reject) => connect(port.port, '127.0.0.1', () => resolve('')).on('error', reject)),
  ).rejects.toThrow('ECONNREFUSED');
  go();
  expect((await underWay).code).toBe(status.OK);
  await ended;
});

test('a call that does not end is cut when its time is over', async () => {
  let asked = false;
  const askerOf: AskerOf = () => ((asked = true), new Promise(() => {}));
  const { client, end } = await started({ askerOf, messageMs: 60_000 });
  const underWay = client.ask(question);
  while (!asked) await new Promise(setImmediate);
  await end(10);
  expect((await underWay).code).toBe(status.UNAVAILABLE);
});

test('a port that is taken is said so, and one that is not served cuts its connections', async () => {
  const port = await bindGrpc('127.0.0.1', 0);
  closing.push(() => closePort(port));
  await expect(bindGrpc('127.0.0.1', port.port)).rejects.toThrow(`Port ${port.port} on 127.0.0.1 is taken`);
  const cut = new Promise((resolve) =>
    connect(port.port, '127.0.0.1')
      .on('close', resolve)
      .on('error', () => {}),
  );
  await cut;
  expect(port.address).toBe(`127.0.0.1:${port.port}`);
});
