import { jest } from '@jest/globals';
import { EventEmitter } from 'node:events';
import { countRequests, createMetrics } from './metrics.http.js';
import { bind, closeBound, listen } from './listener.http.js';
import { startManagement, type Check } from './management.http.js';

// what hangs is given 2 s before it is cut
jest.setTimeout(30_000);

const withManagement = async <T>(
  checks: Record<string, Check>,
  use: (url: string) => Promise<T>,
  notes?: Record<string, Check>,
): Promise<T> => {
  const metrics = createMetrics('test');
  const bound = await startManagement({
    host: '127.0.0.1',
    port: 0,
    checks,
    ...(notes && { notes }),
    metrics,
    mode: 'embedded',
  });
  try {
    return await use(bound.url);
  } finally {
    await closeBound(bound);
    metrics.clear();
  }
};

test('ready when every dependency is, with its mode', () =>
  withManagement({ database: async () => 'ok' }, async (url) => {
    const response = await fetch(`${url}/readyz`);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ status: 'ready', mode: 'EMBEDDED', checks: { database: 'ok' } });
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  }));

test('not ready, by name, when one is missing, throws or hangs; and alive all the same', () => {
  const checks: Record<string, Check> = {
    database: async () => 'ok',
    bus: async () => 'no subscriber',
    limiter: () => Promise.reject(new Error('password hunter2')),
    outbox: () => {
      throw new Error('hunter2');
    },
    issuer: () => new Promise(() => {}),
  };
  return withManagement(checks, async (url) => {
    const response = await fetch(`${url}/readyz`);
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({
      status: 'not-ready',
      mode: 'EMBEDDED',
      checks: { database: 'ok', bus: 'no subscriber', limiter: 'failed', outbox: 'failed', issuer: 'does not answer' },
    });
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });
});

test('what is only noted is said, and is not waited for to be ready', () =>
  withManagement(
    { database: async () => 'ok' },
    async (url) => {
      const response = await fetch(`${url}/readyz`);
      expect(response.status).toBe(200);
      expect(await response.json()).toMatchObject({
        status: 'ready',
        checks: { database: 'ok' },
        notes: { scanner: 'none configured', mail: 'failed' },
      });
    },
    { scanner: async () => 'none configured', mail: () => Promise.reject(new Error('hunter2')) },
  ));

test('serves metrics of the process for Prometheus', () =>
  withManagement({}, async (url) => {
    const response = await fetch(`${url}/metrics?x=1`);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(await response.text()).toMatch(/process_cpu_user_seconds_total\{service="test"\}/);
  }));

test.each([
  ['GET', '/', 404],
  ['GET', '/constructor', 404],
  ['POST', '/metrics', 405],
])('%s %s is %i', (method, path, status) =>
  withManagement({}, async (url) => expect((await fetch(url + path, { method })).status).toBe(status)),
);

test('requests are counted by method and status, and an unknown method has no label of its own', async () => {
  const metrics = createMetrics('test');
  const count = countRequests(metrics);
  const bound = await bind('127.0.0.1', 0);
  listen(bound, (request, response) => count(request, response, () => void response.writeHead(204).end()));
  await fetch(bound.url);
  await fetch(bound.url, { method: 'PROPFIND' });
  await closeBound(bound);
  const text = await metrics.metrics();
  expect(text).toMatch(/http_request_duration_seconds_count\{[^}]*method="GET"[^}]*\} 1/);
  expect(text).toMatch(/http_request_duration_seconds_count\{[^}]*method="other"[^}]*status="204"[^}]*\} 1/);
  metrics.clear();
});

test('an answer counts in every bucket that it fits', async () => {
  const registry = createMetrics('test');
  const count = countRequests(registry);
  for (const status of [200, 200, 503]) {
    const response = Object.assign(new EventEmitter(), { statusCode: status });
    count({ method: 'GET' } as never, response as never, () => {});
    response.emit('close');
  }
  const lines = (await registry.metrics()).split('\n').filter((line) => line.startsWith('http_request_duration'));
  const valueOf = (le: string) =>
    lines
      .find((line) => line.includes(`le="${le}"`) && line.includes('status="200"'))
      ?.split(' ')
      .at(-1);
  expect([valueOf('10'), valueOf('+Inf')]).toEqual(['2', '2']);
  expect(lines.filter((line) => line.includes('_count{')).map((line) => line.split(' ').at(-1))).toEqual(['2', '1']);
});
