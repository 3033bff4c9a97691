import fc from 'fast-check';
import { Refusal } from '@portcullis/contract/refusals';
import { answerId, messageOf, type ProtocolHeaders } from './message.js';
import { mcpNameAgrees } from './mcp-name.js';

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};
const NONE: ProtocolHeaders = { version: undefined, method: undefined, name: undefined };
const headers = (version?: string, method?: string, name?: string): ProtocolHeaders => ({ version, method, name });
const request = (method: string, params: object = {}) => ({ jsonrpc: '2.0', id: 7, method, params });
const CALL = request('tools/call', { name: 'x' });
const codeOf = (body: unknown, given: ProtocolHeaders): string => {
  try {
    const { revision, method } = messageOf(body, given);
    return `${revision} ${method}`;
  } catch (error) {
    return error instanceof Refusal ? error.code : String(error);
  }
};

it.each([
  ['nothing said', request('ping'), NONE, '2025-03-26 ping'],
  ['an old revision', request('ping'), headers('2025-06-18'), '2025-06-18 ping'],
  [
    'the new revision',
    request('tools/list', { _meta: META }),
    headers('2026-07-28', 'tools/list'),
    '2026-07-28 tools/list',
  ],
  [
    'header values with blanks around them',
    request('tools/list', { _meta: META }),
    headers(' 2026-07-28\t', ' tools/list'),
    '2026-07-28 tools/list',
  ],
  [
    'the new revision in the header of a notification',
    { jsonrpc: '2.0', method: 'notifications/cancelled' },
    headers('2026-07-28'),
    '2026-07-28 notifications/cancelled',
  ],
  [
    'an old header over a new body',
    request('tools/list', { _meta: META }),
    headers('2025-11-25', 'tools/list'),
    'header_mismatch',
  ],
  ['an old revision with headers that agree', CALL, headers('2025-11-25', 'tools/call', 'x'), '2025-11-25 tools/call'],
  ['another Mcp-Method in an old revision', CALL, headers('2025-11-25', 'tools/list', 'x'), 'header_mismatch'],
  ['another Mcp-Name in an old revision', CALL, headers('2025-11-25', undefined, 'y'), 'header_mismatch'],
  ['another Mcp-Method where no revision is said', CALL, headers(undefined, 'ping'), 'header_mismatch'],
  [
    'another Mcp-Method over a new notification',
    { jsonrpc: '2.0', method: 'notifications/cancelled' },
    headers('2026-07-28', 'tools/call'),
    'header_mismatch',
  ],
  ['a new body without headers', request('tools/list', { _meta: META }), NONE, 'header_mismatch'],
  [
    'a handshake under the new revision',
    request('initialize', { protocolVersion: '2025-11-25' }),
    headers('2026-07-28'),
    'header_mismatch',
  ],
  [
    'an Mcp-Name as Base64',
    request('tools/call', { name: 'ä', _meta: META }),
    headers('2026-07-28', 'tools/call', '=?base64?w6Q=?='),
    '2026-07-28 tools/call',
  ],
])('%s', (_name, body, given, expected) => {
  expect(codeOf(body, given)).toBe(expected);
});

it('reads any JSON as a message or refuses it, and never throws anything else', () => {
  const header = fc.option(fc.oneof(fc.constantFrom('2026-07-28', '2025-11-25', 'tools/call'), fc.string()), {
    nil: undefined,
  });
  const body = fc.oneof(
    fc.jsonValue(),
    fc.record(
      {
        jsonrpc: fc.constant('2.0'),
        id: fc.jsonValue(),
        method: fc.constantFrom('tools/call', 'ping', 'initialize'),
        params: fc.jsonValue(),
      },
      { requiredKeys: ['jsonrpc'] },
    ),
    fc.record({
      jsonrpc: fc.constant('2.0'),
      id: fc.nat(),
      method: fc.string(),
      params: fc.record({ _meta: fc.constantFrom<unknown>(META, {}, null, 1) }),
    }),
  );
  fc.assert(
    fc.property(body, header, header, header, (value, version, method, name) => {
      expect(codeOf(value, { version, method, name })).not.toMatch(/Error/);
      answerId(value);
    }),
    { numRuns: 500 },
  );
});

it('answers with the id of the request when it can be read, else with null', () => {
  expect(
    [request('x'), { id: 'a', method: 'x' }, { id: {}, method: 'x' }, { id: 1 }, [request('x')], null].map(answerId),
  ).toEqual([7, 'a', null, null, null, null]);
});

describe('Mcp-Name', () => {
  it('is agreed to by every name, said plainly or as Base64', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (name) => {
        const encoded = `=?base64?${Buffer.from(name).toString('base64')}?=`;
        expect(mcpNameAgrees(name, encoded)).toBe(true);
        fc.pre(name.trim() === name && !name.startsWith('=?'));
        expect(mcpNameAgrees(name, name)).toBe(true);
      }),
    );
  });

  it.each(['=?base64?YQ?=', '=?base64?YQ=?=', '=?base64?Y Q=?=', '=?base64?/w==?=', '=?base64??='])(
    'is not agreed to by %s',
    (header) => {
      expect(mcpNameAgrees('a', header)).toBe(false);
    },
  );
});
