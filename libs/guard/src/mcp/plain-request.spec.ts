import { classifyInboundRequest } from '@modelcontextprotocol/server';
import fc from 'fast-check';
import { isPlainRequest } from './plain-request.js';

const PREFIX = 'io.modelcontextprotocol/';
const META = { [`${PREFIX}protocolVersion`]: '2026-07-28', [`${PREFIX}clientCapabilities`]: {} };
const headers = { version: '2026-07-28', method: 'tools/call', name: undefined };
const request = (over: object = {}, meta: object = META) => ({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name: 'x', _meta: meta },
  ...over,
});

test('a call as clients send it is plain, with and without the name of the client', () => {
  expect(isPlainRequest(request(), headers)).toBe(true);
  expect(isPlainRequest(request({ id: 'a' }), headers)).toBe(true);
  expect(isPlainRequest(request({}, { ...META, [`${PREFIX}clientInfo`]: { name: 'c', version: '1' } }), headers)).toBe(
    true,
  );
});

test.each<[string, unknown, object?]>([
  [
    'an older revision',
    request({}, { ...META, [`${PREFIX}protocolVersion`]: '2025-11-25' }),
    { version: '2025-11-25' },
  ],
  ['a header of another revision', request(), { version: '2025-11-25' }],
  ['a header that is missing', request(), { method: undefined }],
  ['a header with blanks', request(), { method: ' tools/call' }],
  ['a handshake', request({ method: 'initialize' }), { method: 'initialize' }],
  ['a notification', { ...request(), id: undefined }],
  ['an id that is null', request({ id: null })],
  ['a member that nobody knows', request({ more: 1 })],
  ['a batch', [request()]],
  ['capabilities of which the SDK has to judge', request({}, { ...META, [`${PREFIX}clientCapabilities`]: { a: 1 } })],
  ['a progress token', request({}, { ...META, progressToken: 1 })],
  ['no envelope', request({ params: {} })],
])('%s is left to the SDK', (_what, body, over = {}) => {
  expect(isPlainRequest(body, { ...headers, ...over })).toBe(false);
});

test('whatever is plain is a request of the new revision to the SDK, too', () => {
  const odd = fc.oneof(
    { weight: 20, arbitrary: fc.constant(undefined) },
    fc.constantFrom(
      '2.0',
      '2026-07-28',
      '2025-11-25',
      'tools/call',
      'initialize',
      'ping',
      1,
      1.5,
      2 ** 53,
      null,
      {},
      [],
    ),
    fc.jsonValue({ maxDepth: 2 }),
  );
  const put = (of: Record<string, unknown>, changes: Record<string, unknown>) =>
    Object.fromEntries(Object.entries({ ...of, ...changes }).map(([key, value]) => [key, value ?? of[key]]));
  const keys = (...names: string[]) => fc.record(Object.fromEntries(names.map((name) => [name, odd])));
  const envelope = keys('protocolVersion', 'clientCapabilities', 'clientInfo', 'more').map((changes) =>
    Object.fromEntries(
      Object.entries(put({ protocolVersion: '2026-07-28', clientCapabilities: {} }, changes))
        .filter(([, value]) => value !== undefined)
        .map(([key, value]) => [`${PREFIX}${key}`, value]),
    ),
  );
  const head = keys('version', 'method').map((changes) =>
    put({ version: '2026-07-28', method: 'tools/call' }, changes),
  );
  let plain = 0;
  fc.assert(
    fc.property(keys('jsonrpc', 'id', 'method', 'extra'), envelope, head, ({ extra, ...changes }, meta, said) => {
      const body = { ...put(request({}, meta), changes), ...(extra !== undefined && { extra }) };
      const { version, method } = said as { version: string; method: string };
      if (!isPlainRequest(body, { version, method, name: undefined })) return;
      plain += 1;
      expect(
        classifyInboundRequest({ httpMethod: 'POST', body, protocolVersionHeader: version, mcpMethodHeader: method }),
      ).toEqual({
        kind: 'modern',
        messageKind: 'request',
        message: body,
        classification: expect.objectContaining({ era: 'modern', revision: version }),
      });
    }),
    { numRuns: 5_000 },
  );
  expect(plain).toBeGreaterThan(100);
});
