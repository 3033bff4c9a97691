import { request } from 'node:http';
import { startIssuer, startService, type Issuer } from './service.fixture.js';

let issuer: Issuer;
let service: Awaited<ReturnType<typeof startService>>;
beforeAll(async () => {
  issuer = await startIssuer();
});
afterAll(() => issuer.close());
beforeEach(async () => {
  service = await startService(issuer);
});
afterEach(() => service.close());

const question = { principal: 'agt_one', tool: 'create_support_ticket' };

describe('what is served past Nest', () => {
  const own = ({ headers }: { headers: Headers }) => {
    const { 'x-correlation-id': id, date: _date, etag: _etag, ...rest } = Object.fromEntries(headers);
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    const { ratelimit: _limit, 'ratelimit-policy': _policy, 'content-length': _length, ...same } = rest;
    return same;
  };

  test('has the headers of every other route, answered and refused', async () => {
    const authorization = `Bearer ${await service.token()}`;
    const rules = await service.send('/v1/rules', { headers: { authorization } });
    expect(own(await service.post('/v1/decide', question))).toEqual(own(rules));
    const [here, there] = [await service.send('/v1/decide', { method: 'POST' }), await service.send('/v1/rules', {})];
    expect(own(here)).toEqual(own(there));
    expect(here.body).toEqual({ ...there.body, correlation_id: expect.any(String) });
  });

  test('asks for the Host that every other route asks for', async () => {
    const { hostname, port } = new URL(service.url);
    for (const [method, path] of [
      ['POST', '/v1/decide'],
      ['GET', '/v1/rules'],
    ] as const) {
      const status = await new Promise((resolve) => {
        const headers = { host: 'evil.example' };
        request({ hostname, port, method, path, headers, agent: false }, (answer) => {
          answer.resume();
          resolve(answer.statusCode);
        }).end();
      });
      expect(status).toBe(403);
    }
  });
});

describe('bodies that are none', () => {
  test.each([
    ['/v1/decide', {}, ['principal']],
    ['/v1/decide', [], ['body']],
    ['/v1/decide', { principal: '' }, ['principal']],
    ['/v1/decide', { principal: 7, tool: '', share: 0, llmTokens: -1 }, ['principal', 'tool', 'share', 'llmTokens']],
    ['/v1/decide', { principal: 'p', llmTokens: 0.5 }, ['llmTokens']],
    ['/v1/decide', { principal: 'p', llmTokens: '5' }, ['llmTokens']],
    ['/v1/decide', { principal: 'p', share: 1.01 }, ['share']],
    ['/v1/decide', { principal: 'p', tenant: 'No/Slug' }, ['tenant']],
    ['/v1/decide', { principal: 'p'.repeat(201) }, ['principal']],
    ['/v1/decide', { principal: 'p', more: 1 }, ['more']],
    ['/v1/decide', { principal: 'p', costMicros: -1, user: '', address: '' }, ['costMicros', 'user', 'address']],
    ['/v1/decide', { principal: 'p', costMicros: 1e10, chain: [] }, ['costMicros', 'chain']],
    ['/v1/decide', { principal: 'p', chain: ['a', 'b', 'c', 'd'] }, ['chain']],
    ['/v1/decide', { principal: 'p', address: 'x'.repeat(65), user: 7 }, ['address', 'user']],
    ['/v1/decide', '{"principal":"p","__proto__":{"share":1}}', ['__proto__']],
    ['/v1/settle', { lease: 'x' }, ['llmTokens']],
    ['/v1/settle', { llmTokens: 1 }, ['lease']],
    ['/v1/settle', { lease: 'x', llmTokens: -1 }, ['llmTokens']],
    ['/v1/settle', { lease: 'x', llmTokens: 1e12 }, ['llmTokens']],
    ['/v1/settle', { lease: 'x', llmTokens: 1, tenant: 'No/Slug' }, ['tenant']],
    ['/v1/settle', { lease: 'x', llmTokens: 1, costMicros: -1 }, ['costMicros']],
    ['/v1/settle', { lease: 'x', llmTokens: 1, costMicros: 1e12 }, ['costMicros']],
    ['/v1/release', { lease: 'x'.repeat(65) }, ['lease']],
    ['/v1/release', { lease: null }, ['lease']],
  ])('POST %s with %j is 400 and names what is wrong', async (path, body, names) => {
    const answer = await service.post(path, body);
    expect(answer).toMatchObject({ status: 400, body: { error: 'input_invalid' } });
    for (const name of names) expect(answer.body.issues.join('\n')).toContain(name);
    expect(answer.body.issues).toHaveLength(names.length);
  });

  test.each([
    ['malformed JSON', '{"principal":', 'application/json', 400, 'json_malformed'],
    ['another media type', 'principal=p', 'application/x-www-form-urlencoded', 415, 'media_type_unsupported'],
    ['no body', '', 'application/json', 400, 'input_invalid'],
    ['far too much', JSON.stringify({ principal: 'p'.repeat(300_000) }), 'application/json', 413, 'body_too_large'],
  ])('%s is answered as JSON', async (_what, body, type, status, error) => {
    const headers = { authorization: `Bearer ${await service.token()}`, 'content-type': type };
    const answer = await service.send('/v1/decide', { method: 'POST', headers, body });
    expect(answer).toMatchObject({ status, body: { error } });
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
  });

  test('after all of them nothing was taken', async () => {
    await service.post('/v1/decide', { principal: 'p', more: 1 });
    await service.post('/v1/decide', { principal: 'p', llmTokens: -1 });
    expect((await service.post('/v1/decide', { principal: 'p' })).body).toMatchObject({ remaining: 59 });
  });

  test.each([
    ['GET', '/v1/decide'],
    ['POST', '/v1/rules'],
    ['GET', '/v1'],
    ['GET', '/'],
  ])('%s %s is 404 as JSON', async (method, path) => {
    const answer = await service.send(path, { method, headers: { authorization: `Bearer ${await service.token()}` } });
    expect(answer).toMatchObject({ status: 404, body: { error: 'not_found' } });
  });
});
