import type { AnyTool } from '@portcullis/guard/tool';
import fc from 'fast-check';
import * as z from 'zod';
import { legacy, META, modern } from './rig.fixture.js';

/** One request as it is put on the wire. Its framing is always right; everything else may be anything. */
export interface FuzzCase {
  readonly method: string;
  readonly query: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
  /** sent in chunks, without its length */
  readonly chunked: boolean;
  /** index into the tokens made ahead, a header's value as it stands, or none */
  readonly credentials: number | string | undefined;
}

const CUSTOMERS = ['12345', '67890', '11111', 'CUST-1', '0', '99999'];
const HIDDEN = ['\u0000', '\ud800', '\u202e', '\u{e0041}\u{e0042}', '\u200b\u200c\u200d', '\ufeff', '\ufe0f'];
const TRICKS = ['__proto__', 'constructor', 'toString', "' OR 1=1 --", '../../etc/passwd', '${7*7}', '%00', '\r\nX: y'];
const NUMBERS = [0, -0, -1, 1.5, 1e308, -1e308, 2 ** 31, 2 ** 53, 2 ** 53 + 2, Number.MIN_VALUE];

const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);
const weird: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(null, true, '', [], {}, ...NUMBERS, ...HIDDEN, ...TRICKS, nested(20), nested(40)),
  fc.string({ unit: 'binary' }),
  fc.jsonValue({ maxDepth: 4 }),
  fc.integer({ min: 100, max: 20_000 }).map((length) => 'x'.repeat(length)),
);

/** Values of a JSON schema, as far as tools' schemas go. */
function valuesOf(schema: z.core.JSONSchema.BaseSchema | boolean | undefined): fc.Arbitrary<unknown> {
  if (typeof schema !== 'object') return weird;
  const one = schema.anyOf ?? schema.oneOf;
  if (one !== undefined) return fc.oneof(...one.map((each) => valuesOf(each as z.core.JSONSchema.BaseSchema)));
  if (schema.enum !== undefined) return fc.constantFrom<unknown>(...schema.enum);
  if (schema.const !== undefined) return fc.constant(schema.const);
  const { minLength = 0, minItems = 0 } = schema;
  switch (schema.type) {
    case 'object': {
      const { properties = {}, required = [] } = schema;
      const made = Object.entries(properties).map(([key, each]) => [key, named(key, valuesOf(each))] as const);
      return fc.record(Object.fromEntries(made), { requiredKeys: required });
    }
    case 'array':
      return fc.array(valuesOf(schema.items as z.core.JSONSchema.BaseSchema), {
        minLength: minItems,
        maxLength: Math.min(schema.maxItems ?? 5, minItems + 5),
      });
    case 'integer':
    case 'number':
      return fc.integer({ min: Math.max(schema.minimum ?? -100, -1e6), max: Math.min(schema.maximum ?? 100, 1e6) });
    case 'boolean':
      return fc.boolean();
    default:
      return fc.string({ unit: 'grapheme', minLength, maxLength: Math.min(schema.maxLength ?? 60, minLength + 60) });
  }
}

/** Arguments that name a row name one that is there, most of the time. */
const named = (key: string, values: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  /customer_id/.test(key) ? fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...CUSTOMERS) }, values) : values;

type Made = { readonly headers: Record<string, string>; readonly body: unknown };

/** Requests that a client could have meant. */
function meant(tools: readonly AnyTool[]): fc.Arbitrary<Made> {
  const calls = tools.map((tool) => {
    const schema = z.toJSONSchema(tool.input, { io: 'input' }) as z.core.JSONSchema.BaseSchema;
    return valuesOf(schema).map((args) => ['tools/call', { name: tool.name, arguments: args }] as const);
  });
  const uris = fc
    .constantFrom(...CUSTOMERS.map((id) => `customer://${id}`), 'ticket://TKT-1', 'ticket://1', 'x://y', '')
    .map((uri) => ['resources/read', { uri }] as const);
  const others = fc
    .tuple(
      fc.constantFrom(
        'tools/list',
        'resources/list',
        'resources/templates/list',
        'server/discover',
        'ping',
        'initialize',
        'notifications/initialized',
        'notifications/cancelled',
        'subscriptions/listen',
        'prompts/list',
        'logging/setLevel',
      ),
      fc.constantFrom<Record<string, unknown>>(
        {},
        { cursor: 'x' },
        { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } },
        { notifications: { toolsListChanged: true } },
        { requestId: 1 },
      ),
    )
    .map(([method, params]) => [method, params] as const);
  const asked = fc.oneof({ weight: 6, arbitrary: fc.oneof(...calls) }, uris, { weight: 2, arbitrary: others });
  const ids = fc.oneof(
    { weight: 9, arbitrary: fc.nat() },
    { weight: 9, arbitrary: fc.string({ maxLength: 20 }) },
    fc.constantFrom<unknown>(0, -1, null, 1.5, {}),
  );
  const revisions = fc.constantFrom('2026-07-28', '2026-07-28', '2025-11-25', '2025-06-18', '2025-03-26');
  return fc.tuple(asked, ids, revisions).map(([[method, params], id, revision]) => {
    if (revision === '2026-07-28') return modern(method, { ...params }, id);
    const { headers, body } = legacy(method, { ...params }, revision);
    return { headers, body: { ...body, id } };
  });
}

interface Edit {
  readonly at: number;
  readonly how: 'replace' | 'delete' | 'add' | 'wrap' | 'rename';
  readonly key: string;
  readonly value: unknown;
}
const KEYS = ['id', 'method', 'params', 'jsonrpc', 'name', 'arguments', '_meta', 'uri', 'result', 'error', ...TRICKS];
const edits: fc.Arbitrary<readonly Edit[]> = fc.array(
  fc.record({
    at: fc.nat(200),
    how: fc.constantFrom<Edit['how']>('replace', 'replace', 'delete', 'add', 'wrap', 'rename'),
    key: fc.oneof(fc.constantFrom(...KEYS, ...Object.keys(META), 'portcullis/approval'), fc.string({ maxLength: 8 })),
    value: weird,
  }),
  { maxLength: 3 },
);

/** A message with something changed somewhere inside it. */
function edited(message: unknown, changes: readonly Edit[]): unknown {
  const root = { message: structuredClone(message) };
  for (const { at, how, key, value: made } of changes) {
    // one value may be in many cases, and is not to be changed by any
    const value = structuredClone(made);
    const places = placesIn(root);
    const [holder, name] = places[at % places.length]!;
    const found = holder[name];
    if (how === 'delete' && holder !== root) delete holder[name];
    else if (how === 'wrap') define(holder, name, [found]);
    else if (how === 'replace') define(holder, name, value);
    else if (typeof found === 'object' && found !== null) define(found as Holder, key, value);
    else define(holder, how === 'rename' ? key : name, found ?? value);
  }
  return root.message;
}

type Holder = Record<string, unknown>;
/** An own property, whatever it is called. */
const define = (holder: Holder, name: string, value: unknown): void => {
  Object.defineProperty(holder, name, { value, enumerable: true, configurable: true, writable: true });
};

function placesIn(root: object): [Holder, string][] {
  const places = Object.keys(root).map((name): [Holder, string] => [root as Holder, name]);
  // grows while it is walked; what is inside comes after what holds it
  for (const [holder, name] of places) {
    const found = holder[name];
    if (places.length > 500) break;
    if (typeof found !== 'object' || found === null) continue;
    for (const inner of Object.keys(found)) places.push([found as Holder, inner]);
  }
  return places;
}

type Spoil = readonly [how: 'cut' | 'put' | 'twice' | 'set', at: number, bytes: Uint8Array];
const spoils: fc.Arbitrary<readonly Spoil[]> = fc.array(
  fc.tuple(fc.constantFrom('cut', 'put', 'twice', 'set' as const), fc.nat(2000), fc.uint8Array({ maxLength: 12 })),
  { maxLength: 3 },
);

/** Bytes with some of them cut, put in, doubled or overwritten. */
function spoilt(body: Buffer, changes: readonly Spoil[]): Buffer {
  return changes.reduce((now, [how, place, bytes]) => {
    const at = now.length === 0 ? 0 : place % now.length;
    const [before, after] = [now.subarray(0, at), now.subarray(at)];
    if (how === 'cut') return Buffer.concat([before, after.subarray(bytes.length)]);
    if (how === 'put') return Buffer.concat([before, bytes, after]);
    if (how === 'twice') return Buffer.concat([before, after, after]);
    return Buffer.concat([before, bytes, after.subarray(bytes.length)]);
  }, body);
}

/** Text that may stand in a header (RFC 9110 §5.5); what may not never reaches a listener. */
const headerText = fc
  .array(fc.oneof(fc.integer({ min: 0x20, max: 0x7e }), fc.integer({ min: 0x80, max: 0xff })), { maxLength: 40 })
  .map((codes) => String.fromCharCode(...codes));
const HEADERS: Record<string, readonly string[]> = {
  'content-type': ['application/json; charset=utf-8', 'APPLICATION/JSON', 'application/json;', 'text/json', 'a/b'],
  'content-encoding': ['identity', 'gzip', 'br', ''],
  accept: ['*/*', 'text/html', 'text/event-stream', 'application/json;q=0'],
  'mcp-protocol-version': ['2026-07-28', '2025-11-25', '2024-11-05', '9999-99-99', 'toString'],
  'mcp-method': ['tools/call', 'tools/list', 'TOOLS/CALL', '=?base64?dG9vbHMvY2FsbA==?='],
  'mcp-name': ['get_customer_info', '=?base64?Z2V0X2N1c3RvbWVyX2luZm8=?=', '=?base64?!?='],
  origin: ['null', 'http://127.0.0.1', 'https://evil.example', 'file://'],
  host: ['127.0.0.1', 'evil.example', '[::1]', ''],
  dpop: ['a.b.c', 'e30.e30.', '..'],
  'x-forwarded-for': ['unknown', '::ffff:1.2.3.4', '1.2.3.4, 5.6.7.8', ',,,'],
  'x-forwarded-proto': ['https', 'http, https'],
  'x-request-id': ['x'.repeat(500)],
  traceparent: ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'],
  'access-control-request-method': ['POST'],
  'mcp-session-id': ['1'],
  'last-event-id': ['1'],
  expect: ['100-continue', 'x'],
};
type HeaderEdit = readonly [name: string, value: string, how: 'set' | 'more'];
const headerEdits: fc.Arbitrary<readonly HeaderEdit[]> = fc.array(
  fc
    .tuple(fc.constantFrom(...Object.keys(HEADERS)), fc.nat(9), headerText, fc.constantFrom('set', 'more' as const))
    .map(([name, at, text, how]) => [name, HEADERS[name]![at] ?? text, how] as const),
  { maxLength: 3 },
);

const withEdits = (headers: Record<string, string>, changes: readonly HeaderEdit[]): [string, string][] => {
  const all = Object.entries(headers);
  for (const [name, value, how] of changes) {
    const at = all.findIndex(([each]) => each === name);
    if (how === 'set' && at >= 0) all[at] = [name, value];
    else all.push([name, value]);
  }
  return all;
};

/** The usual, and in so many of a hundred cases another. */
const some = <T>(weight: number, arbitrary: fc.Arbitrary<T>, usual: T): fc.Arbitrary<T> =>
  fc.oneof({ weight: 100 - weight, arbitrary: fc.constant(usual) }, { weight, arbitrary });

/** Mostly a request that means something, with one kind of thing or another changed about it. */
export function fuzzCases(tools: readonly AnyTool[], tokens: number): fc.Arbitrary<FuzzCase> {
  const json = fc.tuple(meant(tools), some(60, edits, [])).map(([{ headers, body }, changes]) => ({
    headers,
    body: Buffer.from(JSON.stringify(edited(body, changes)) ?? ''),
  }));
  const bytes = fc.tuple(meant(tools), spoils).map(([{ headers, body }, changes]) => ({
    headers,
    body: spoilt(Buffer.from(JSON.stringify(body)), changes),
  }));
  const raw = fc
    .oneof(
      fc.uint8Array({ maxLength: 200 }).map((each) => Buffer.from(each)),
      fc.string({ unit: 'binary', maxLength: 200 }).map((text) => Buffer.from(text)),
      fc.json().map((text) => Buffer.from(text)),
    )
    .map((body) => ({ headers: {} as Record<string, string>, body }));
  const messages = fc.oneof({ weight: 6, arbitrary: json }, { weight: 3, arbitrary: bytes }, raw);
  const credentials = fc.oneof(
    { weight: 19, arbitrary: fc.nat(tokens - 1) },
    fc.oneof(
      fc.constantFrom<string | undefined>(
        undefined,
        '',
        'Bearer',
        'Bearer ',
        'Basic YTpi',
        'Bearer a.b.c',
        'DPoP a.b.c',
      ),
      headerText.map((text) => `Bearer ${text}`),
      headerText,
    ),
  );
  return fc
    .record({
      message: messages,
      changes: some(25, headerEdits, []),
      method: some(4, fc.constantFrom('GET', 'DELETE', 'PUT', 'OPTIONS', 'HEAD', 'PATCH'), 'POST'),
      query: some(3, fc.constantFrom('?', '?access_token=x', '?a=%ff', '?__proto__'), ''),
      chunked: some(5, fc.constant(true), false),
      credentials,
    })
    .map(({ message, changes, ...rest }) => ({
      ...rest,
      body: message.body,
      headers: withEdits(
        { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...message.headers },
        changes,
      ),
    }));
}
