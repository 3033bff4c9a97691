import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { expect } from '@jest/globals';
import type { ClientRecord } from './clients.js';
import { sqlClients } from './clients.sql.js';
import { CALLBACK } from './flow.fixture.js';
import type { Gate } from './gate.fixture.js';

/** What a row sends, besides its method and path. A list of pairs can name a parameter twice. */
export interface Sent {
  readonly query?: Record<string, string> | [string, string][] | string;
  readonly form?: Record<string, string> | [string, string][];
  readonly json?: unknown;
  /** instead of both */
  readonly body?: string | Buffer;
  /** a list sends the header more than once; text goes out as Latin-1 */
  readonly headers?: Record<string, string | string[]>;
  /** further path, behind that of the row, as it is */
  readonly path?: string;
}
export interface Got {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}
/** `[what it is, method, path, what is sent, HTTP status, error code]`; no code: the answer has no body to hold one. */
export type BadRow = readonly [
  says: string,
  method: string,
  path: string,
  sent: (gate: Gate) => Sent | Promise<Sent>,
  status: number,
  error?: string | undefined,
];

/** A request as bytes on the wire: a client library would refuse to send most of these, or would mend them. */
export async function sendBad(gate: Gate, method: string, path: string, sent: Sent): Promise<Got> {
  const { hostname, port, host } = new URL(gate.issuer);
  const query = sent.query === undefined ? '' : typeof sent.query === 'string' ? sent.query : encoded(sent.query);
  const target = path + (sent.path ?? '') + (query === '' ? '' : `?${query}`);
  const type = sent.form
    ? 'application/x-www-form-urlencoded'
    : sent.json === undefined
      ? undefined
      : 'application/json';
  const body = Buffer.from(
    sent.body ?? (sent.form ? encoded(sent.form) : sent.json === undefined ? '' : JSON.stringify(sent.json)),
  );
  const headers: Record<string, string | string[]> = {
    host,
    connection: 'close',
    ...(type && { 'content-type': type }),
    ...(method !== 'GET' && { 'content-length': String(body.length) }),
    ...sent.headers,
  };
  const lines = Object.entries(headers).flatMap(([name, values]) =>
    [values].flat().map((value) => `${name}: ${value}`),
  );
  const head = Buffer.from(`${method} ${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(Number(port), hostname, () => socket.write(Buffer.concat([head, body])));
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    // who refuses a large body early may end the connection while we still send
    socket.on('error', (error) => (chunks.length === 0 ? reject(error) : undefined));
    socket.on('close', () => resolve(answerIn(Buffer.concat(chunks))));
  });
}

const encoded = (pairs: Record<string, string> | [string, string][]): string => new URLSearchParams(pairs).toString();

function answerIn(bytes: Buffer): Got {
  const at = bytes.indexOf('\r\n\r\n');
  const [first = '', ...lines] = bytes.subarray(0, at).toString('latin1').split('\r\n');
  const headers = new Headers(
    lines.map((line): [string, string] => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const rest = bytes.subarray(at + 4);
  const body = headers.get('transfer-encoding') === 'chunked' ? unchunked(rest) : rest;
  return { status: Number(first.split(' ')[1]), headers, text: body.toString() };
}

function unchunked(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  let rest = bytes;
  for (;;) {
    const end = rest.indexOf('\r\n');
    const size = parseInt(rest.subarray(0, end).toString(), 16);
    if (!(size > 0)) return Buffer.concat(parts);
    parts.push(rest.subarray(end + 2, end + 2 + size));
    rest = rest.subarray(end + 4 + size);
  }
}

/** Paths that a person's browser is sent to: their errors are pages. */
const PAGES = /^\/(?:authorize|interaction|logout)\b/;
/** What no answer may hold: a place in our code, a word of a library or of SQL. */
const INSIDE =
  /\n\s+at |node_modules|\.[jt]s:\d|oidc-provider|kysely|postgres|pglite|select .* from|TypeError|SyntaxError|ZodError/i;

/** Holds an answer to what every bad request gets, and to the status and error code of its row. */
export function expectRefused(gate: Gate, path: string, got: Got, status: number, error: string | undefined): void {
  const { headers, text } = got;
  expect([got.status, shownError(path, got)]).toEqual([status, error]);
  expect(got.status).toBeLessThan(500);
  expect(text).not.toMatch(INSIDE);
  expect(headers.get('set-cookie') ?? '').not.toMatch(/evil/);
  expect(headers.get('x-evil')).toBeNull();
  const location = headers.get('location');
  if (location !== null) {
    const to = new URL(location, gate.issuer);
    expect(REDIRECTS).toContain(to.origin + to.pathname);
    expect([...to.searchParams.keys()].sort().filter((name) => name === 'code' || name === 'access_token')).toEqual([]);
    expect(new URLSearchParams([...to.searchParams, ...new URLSearchParams(to.hash.slice(1))]).get('iss')).toBe(
      gate.issuer,
    );
  }
  if (text === '') return;
  const html = headers.get('content-type')?.startsWith('text/html') ?? false;
  if (html) {
    expect(PAGES.test(path)).toBe(true);
    expect(headers.get('content-security-policy')).toMatch(/default-src 'none'/);
    expect(text).not.toMatch(/<script|onerror=|javascript:/i);
  } else expect(headers.get('content-type')).toMatch(/^application\/json/);
  expect(headers.get('x-content-type-options')).toBe('nosniff');
}

/** Where an answer may send a browser: what the clients of these tests have registered. */
export const WEB = 'https://app.example/cb';
const REDIRECTS = [CALLBACK, WEB, 'http://127.0.0.1:4711/only'];

function shownError(path: string, { headers, text }: Got): string | undefined {
  const location = headers.get('location');
  if (location !== null) {
    const { searchParams, hash } = new URL(location, 'http://ours.example');
    return searchParams.get('error') ?? new URLSearchParams(hash.slice(1)).get('error') ?? undefined;
  }
  if (text === '') return undefined;
  if (headers.get('content-type')?.startsWith('text/html')) return /Error: <code>([^<]*)/.exec(text)?.[1] ?? 'page';
  try {
    return (JSON.parse(text) as { error?: string }).error;
  } catch {
    throw new Error(`${path} answers neither a page nor JSON: ${text.slice(0, 200)}`);
  }
}

/** A server that nobody should ask. */
export interface Trap {
  readonly url: string;
  readonly visits: () => number;
  close(): Promise<void>;
}
export async function trap(): Promise<Trap> {
  let visits = 0;
  const server: Server = createServer((socket) => {
    visits += 1;
    socket.on('error', () => {}).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    visits: () => visits,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** One row as a test does it. */
export async function expectBad(gate: Gate, [, method, path, sent, status, error]: BadRow): Promise<Got> {
  const given = await sent(gate);
  const got = await sendBad(gate, method, path, given);
  expectRefused(gate, path, got, status, error);
  return got;
}

/** Public clients with one redirect URI each, of which the third may not act: `web`, `loop`, `off`. */
export async function addPublicClients(gate: Gate): Promise<void> {
  const client: ClientRecord = {
    tenant: 'default',
    clientId: 'web',
    name: 'Web app',
    authMethod: 'none',
    applicationType: 'web',
    secretHash: undefined,
    previousSecret: undefined,
    jwks: undefined,
    jwksUri: undefined,
    redirectUris: [WEB],
    grantTypes: ['authorization_code'],
    scopes: ['customer:read'],
    dpopBound: false,
    requirePar: false,
    demo: false,
    disabled: false,
    createdAt: 0,
    version: 1,
  };
  const clients = sqlClients(gate.database);
  await clients.put('default', client);
  const loop = { ...client, clientId: 'loop', applicationType: 'native' as const };
  await clients.put('default', { ...loop, redirectUris: ['http://127.0.0.1/only'] });
  await clients.put('default', { ...client, clientId: 'off', disabled: true });
}

/** The same form with one of its parameters said twice. */
export const twice = (sent: Sent, name: string): Sent => {
  const pairs = Array.isArray(sent.form) ? (sent.form as [string, string][]) : Object.entries(sent.form ?? {});
  return { ...sent, form: [...pairs, [name, pairs.find(([each]) => each === name)?.[1] ?? 'x']] };
};

/** Rows of one endpoint. */
export const at = (
  method: string,
  path: string,
  rows: readonly (readonly [says: string, sent: BadRow[3], status: number, error?: string])[],
): BadRow[] => rows.map(([says, sent, status, error]) => [says, method, path, sent, status, error]);

/** A row of /token: besides, no answer may be kept, each is on record, and what was not proven is nobody's. */
export async function expectBadToken(gate: Gate, row: BadRow): Promise<void> {
  const before = gate.events.seen.length;
  const got = await expectBad(gate, row);
  expect(got.headers.get('cache-control')).toBe('no-store');
  expect(got.text).not.toMatch(/access_token|refresh_token"/);
  // what is no request to the endpoint at all is on no record
  if (got.status !== 404) expect(JSON.stringify(gate.events.seen.slice(before))).toContain('token.refused');
  if (got.status === 401) expect(gate.events.seen.at(-1)?.subject).toBeUndefined();
}
