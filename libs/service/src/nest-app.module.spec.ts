import { localKeys } from '@portcullis/guard/jwks.http';
import { request } from 'node:http';
import { AUDIENCE, ISSUER, startThings, testIssuer } from './api.fixture.js';
import { parseRange } from '@portcullis/guard/addresses';
import { pathOf } from './arrival.js';
import type { ApiOptions } from './nest-app.module.js';

const start = async (options: Partial<ApiOptions> = {}) => {
  const issuer = await testIssuer();
  return startThings(
    { rules: { issuer: ISSUER, audience: AUDIENCE, keys: localKeys(issuer.jwks), now: Date.now } },
    options,
  );
};
type Things = Awaited<ReturnType<typeof start>>;
const problemIn = async (response: Response) => (await response.json()) as { error: string; issues?: string[] };
const UUID7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('a JSON API', () => {
  let things: Things;
  beforeAll(async () => {
    things = await start({ forms: false });
  });
  afterAll(() => things.close());

  const ask = (path: string, init?: RequestInit) => fetch(things.bound.url + path, init);
  const post = (body: string, type = 'application/json', path = '/things', headers = {}) =>
    ask(path, { method: 'POST', body, headers: { 'Content-Type': type, ...headers } });

  test('answers what its routes return, with the security headers and nothing of the framework', async () => {
    const response = await ask('/things');
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ items: [], note: `for ${AUDIENCE}` });
    expect(response.headers.get('x-powered-by')).toBeNull();
    expect(response.headers.get('etag')).toBeNull();
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(response.headers.get('strict-transport-security')).toMatch(/^max-age=\d{8}/);
    expect(response.headers.get('content-security-policy')).toBe("default-src 'none'; frame-ancestors 'none'");
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
    expect(response.headers.get('x-correlation-id')).toMatch(UUID7);
  });

  test('is alive at /healthz', async () => {
    expect(await (await ask('/healthz')).json()).toEqual({ status: 'alive' });
  });

  test.each([
    ['an unknown path', 'GET', '/nothing/here?token=abc', undefined, undefined, 404, 'not_found'],
    ['a path in other letters', 'GET', '/Things', undefined, undefined, 404, 'not_found'],
    ['a path with a slash behind it', 'POST', '/raw/', '{}', 'application/json', 404, 'not_found'],
    ['a path that does not decode', 'GET', '/%E0%A4%A', undefined, undefined, 404, 'not_found'],
    ['malformed JSON', 'POST', '/things', '{"name":', 'application/json', 400, 'json_malformed'],
    ['a bare JSON string', 'POST', '/things', '"x"', 'application/json', 400, 'json_malformed'],
    [
      'a body above 100 kB',
      'POST',
      '/things',
      `{"name":"${'x'.repeat(110_000)}"}`,
      'application/json',
      413,
      'body_too_large',
    ],
    ['a body of another type', 'POST', '/things', '<a/>', 'text/xml', 415, 'media_type_unsupported'],
    [
      'a form where none is read',
      'POST',
      '/things',
      'name=a',
      'application/x-www-form-urlencoded',
      415,
      'media_type_unsupported',
    ],
    ['another charset', 'POST', '/things', '{}', 'application/json; charset=latin1', 415, 'media_type_unsupported'],
    ['no body at all', 'POST', '/things', undefined, undefined, 400, 'input_invalid'],
    [
      'a body that the schema refuses',
      'POST',
      '/things',
      '{"name":"toolong","size":1.5}',
      'application/json',
      400,
      'input_invalid',
    ],
    [
      'a key named __proto__',
      'POST',
      '/things',
      '{"name":"a","size":1,"__proto__":{"x":1}}',
      'application/json',
      400,
      'input_invalid',
    ],
    ['a bug of ours', 'GET', '/broken', undefined, undefined, 500, 'internal'],
    ['an exception of Nest', 'GET', '/gone', undefined, undefined, 404, 'not_found'],
    ['a problem of the app', 'GET', '/taken', undefined, undefined, 409, 'conflict'],
    ['a refusal', 'GET', '/refused', undefined, undefined, 429, 'rate_limited'],
    ['a route that asks for its caller without a guard', 'GET', '/unguarded', undefined, undefined, 500, 'internal'],
  ])('answers %s as a problem in JSON', async (_what, method, path, body, type, status, error) => {
    const response = await ask(path, {
      method,
      ...(body !== undefined && { body, headers: { 'Content-Type': type! } }),
    });
    const text = await response.text();
    expect({ status: response.status, error: JSON.parse(text).error }).toEqual({ status, error });
    expect(response.headers.get('content-type')).toMatch(/^application\/json/);
    expect(JSON.parse(text)).toMatchObject({
      error_description: expect.any(String),
      correlation_id: response.headers.get('x-correlation-id'),
    });
    expect(text).not.toMatch(/hunter2|table secrets|nothing\/here|<\w|at \w+ \(|node_modules|latin1/);
  });

  test('names the fields that are wrong and never their values', async () => {
    const body = await problemIn(await post('{"name":"hunter2","size":1}'));
    expect(body.issues).toEqual([expect.stringMatching(/^name: /)]);
    expect(JSON.stringify(body)).not.toContain('hunter2');
  });

  test('says in whole seconds when to try again', async () => {
    const response = await ask('/refused');
    expect(response.headers.get('retry-after')).toBe('2');
    expect(await response.json()).toMatchObject({ retryAfterMs: 1500, limitType: 'requests', remaining: 0 });
  });

  test('a compressed body is 415', async () => {
    expect((await post('x', 'application/json', '/things', { 'Content-Encoding': 'gzip' })).status).toBe(415);
  });

  test('logs a bug with its correlation id, and a refusal only for debugging', async () => {
    const response = await ask('/broken');
    const line = things.log.lines.findLast(({ level }) => level === 'error');
    expect(line?.facts).toMatchObject({ correlationId: response.headers.get('x-correlation-id'), status: 500 });
    expect(things.log.lines.filter(({ level, message }) => level === 'error' && message !== 'request failed')).toEqual(
      [],
    );
  });
});

describe('what a request must arrive like', () => {
  let things: Things | undefined;
  afterEach(() => things?.close());

  test('with forced https a plain request is refused, and one that a trusted proxy vouches for is served', async () => {
    things = await start({ forceHttps: true, trustedProxies: [parseRange('127.0.0.0/8')] });
    const plain = await fetch(`${things.bound.url}/things`);
    expect([plain.status, (await problemIn(plain)).error]).toEqual([403, 'https_required']);
    expect((await fetch(`${things.bound.url}/things`, { headers: { 'X-Forwarded-Proto': 'https' } })).status).toBe(200);
    expect((await fetch(`${things.bound.url}/healthz`)).status).toBe(200);
  });

  test('with forced https and no trusted proxy X-Forwarded-Proto is ignored', async () => {
    things = await start({ forceHttps: true });
    expect((await fetch(`${things.bound.url}/things`, { headers: { 'X-Forwarded-Proto': 'https' } })).status).toBe(403);
  });

  test('a Host that is none of ours is refused', async () => {
    things = await start({ hosts: ['gate.example'] });
    const response = await fetch(`${things.bound.url}/things`);
    expect([response.status, (await problemIn(response)).error]).toEqual([403, 'origin_forbidden']);
  });

  test('two Host headers are 400, also when each is ours', async () => {
    things = await start({ hosts: ['gate.example'] });
    const { url } = things.bound;
    const headers = ['Host', 'gate.example', 'Host', 'gate.example'];
    const status = await new Promise((resolve, reject) => {
      const asked = request(`${url}/things`, { headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      asked.on('error', reject).end();
    });
    expect(status).toBe(400);
  });

  test('a page of an allowed origin may call, another may not', async () => {
    things = await start({ cors: { origins: ['https://console.example'] } });
    const from = (Origin: string) => fetch(`${things!.bound.url}/things`, { headers: { Origin } });
    expect((await from('https://console.example')).headers.get('access-control-allow-origin')).toBe(
      'https://console.example',
    );
    expect((await from('https://evil.example')).headers.get('access-control-allow-origin')).toBeNull();
  });

  test('what answers directly sees the request unread, behind every check, and its errors are problems too', async () => {
    things = await start({
      direct: (request, response, next) => {
        const path = pathOf(request);
        if (path === '/own') request.pipe(response);
        else next(path === '/bad' ? new Error('hunter2') : undefined);
      },
      hosts: ['127.0.0.1'],
      forms: true,
    });
    const echoed = await fetch(`${things.bound.url}/own`, {
      method: 'POST',
      body: 'anything',
      headers: { 'Content-Type': 'text/x' },
    });
    expect(await echoed.text()).toBe('anything');
    expect(echoed.headers.get('x-content-type-options')).toBe('nosniff');
    expect(echoed.headers.get('x-correlation-id')).toMatch(UUID7);
    const bad = await fetch(`${things.bound.url}/bad`);
    expect([bad.status, (await problemIn(bad)).error]).toEqual([500, 'internal']);
    const form = await fetch(`${things.bound.url}/raw`, { method: 'POST', body: new URLSearchParams({ a: '1' }) });
    expect(await form.json()).toEqual({ parsed: true });
  });
});
