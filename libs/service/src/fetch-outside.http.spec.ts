import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { selfSigned } from './certificate.fixture.js';
import { createFetchOutside } from './fetch-outside.http.js';

/**
 * What a service does: it runs in a process of its own, with the sockets, the TLS and the signals of Node itself. Names
 * mean what its first line says. Each further line is a URL to fetch, and is answered by one line.
 */
const FETCHING = `
  const [module, urls, addresses] = process.argv.slice(1);
  const { createFetchOutside } = await import(module);
  const { parseAllowedHost } = await import(urls);
  const { parseRange } = await import(addresses);
  const { createInterface } = await import('node:readline');
  let fetchOutside, asked = 0;
  for await (const line of createInterface({ input: process.stdin })) {
    const { setup, id, url, init } = JSON.parse(line);
    if (setup) {
      fetchOutside = createFetchOutside({
        allowed: setup.allowed.map(parseAllowedHost),
        addressesOf: async (name) => {
          asked += 1;
          if (name === 'slow.example') await new Promise((resolve) => setTimeout(resolve, 60_000).unref());
          const found = setup.names[name] ?? [];
          return name === 'rebinding.example' && asked % 2 === 0 ? ['10.0.0.1'] : found;
        },
        forTests: setup.reach && { reach: setup.reach.map(parseRange), ca: setup.ca },
      });
      continue;
    }
    fetchOutside(url, init).then(
      async (response) => ({ id, status: response.status, text: await response.text(), headers: [...response.headers] }),
      (error) => ({ id, rule: error.rule, name: error.name, says: error.message, cause: String(error.cause) }),
    ).then((answer) => process.stdout.write(JSON.stringify(answer) + '\\n'));
  }
`;

interface Answer {
  readonly id: number;
  readonly status?: number;
  readonly text?: string;
  readonly headers?: [string, string][];
  readonly rule?: string;
  readonly name?: string;
  readonly says?: string;
  readonly cause?: string;
}

const NAMES = ['keys.example', 'rebinding.example', 'two.example', 'mixed.example', 'slow.example', 'busy.example'];
let server: Server;
let foreign: Server;
let port: number;
let foreignPort: number;
let child: ChildProcess;
let open = true;
const requests: { path: string; headers: Record<string, unknown>; method: string; body: string }[] = [];
const waiting = new Map<number, (answer: Answer) => void>();
const sockets = new Set<Socket>();
let ids = 0;

const ask = (url: string, init: Record<string, unknown> = {}): Promise<Answer> => {
  const id = (ids += 1);
  if (!open) return Promise.resolve({ id, says: 'the process ended' });
  return new Promise((resolve) => {
    waiting.set(id, resolve);
    child.stdin!.write(`${JSON.stringify({ id, url, init })}\n`);
  });
};
const setup = (more: Record<string, unknown> = {}): void => {
  const names = Object.fromEntries(NAMES.map((name) => [name, ['127.0.0.1']]));
  const allowed = ['keys.example', ...[...NAMES, 'inside.example', 'unknown.example'].map((name) => `${name}:${port}`)];
  const line = {
    names: {
      ...names,
      'two.example': ['127.0.0.1', '::1'],
      'mixed.example': ['127.0.0.1', '10.0.0.7'],
      'inside.example': ['10.0.0.7'],
    },
    allowed: [...allowed, `keys.example:${foreignPort}`],
    reach: ['127.0.0.0/8', '::1'],
    ca,
    ...more,
  };
  child.stdin!.write(`${JSON.stringify({ setup: line })}\n`);
};
let ca: string;
const listening = async (one: Server): Promise<number> => {
  one.listen(0, '127.0.0.1');
  await once(one, 'listening');
  return (one.address() as AddressInfo).port;
};

beforeAll(async () => {
  const ours = selfSigned(...NAMES, 'inside.example');
  ca = ours.cert;
  server = createServer(ours, (request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      const path = request.url ?? '';
      requests.push({ path, headers: request.headers, method: request.method ?? '', body });
      const json = { 'content-type': 'application/json' };
      if (path === '/jwks') response.writeHead(200, { ...json, 'set-cookie': 'a=b', 'x-more': 'c' }).end('{"keys":[]}');
      else if (path === '/problem') response.writeHead(404, { 'content-type': 'application/problem+json' }).end('{}');
      else if (path === '/nothing') response.writeHead(204).end();
      else if (path === '/html') response.writeHead(200, { 'content-type': 'text/html' }).end('<p>');
      else if (path === '/untyped') response.writeHead(200).end('{}');
      else if (path.startsWith('/redirect'))
        response.writeHead(Number(path.slice(-3)), { location: 'https://keys.example/jwks' }).end();
      else if (path === '/zipped')
        response.writeHead(200, { ...json, 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(10 * 1024 * 1024)));
      else if (path === '/large') response.writeHead(200, json).end('x'.repeat(64 * 1024 + 1));
      else if (path === '/fits') response.writeHead(200, json).end('x'.repeat(64 * 1024));
      else if (path === '/endless') {
        const more = setInterval(() => response.write('x'.repeat(16 * 1024)), 5);
        response.on('close', () => clearInterval(more)).writeHead(200, json);
      } else if (path === '/trickle') {
        // a byte now and then keeps every timeout between two reads from firing
        const more = setInterval(() => response.write('x'), 20);
        response.on('close', () => clearInterval(more)).writeHead(200, json);
      } else if (path === '/headers') response.writeHead(200, { 'x-long': 'x'.repeat(10 * 1024) }).end();
      else if (path === '/cut') {
        response.writeHead(200, { ...json, 'content-length': '100' });
        response.write('{');
        setTimeout(() => response.destroy(), 20);
      } else if (path === '/upgrade') {
        response.writeHead(101, { upgrade: 'h2c', connection: 'upgrade' }).end();
      } else if (path === '/held') return;
      else response.writeHead(200, json).end('{}');
    });
  });
  foreign = createServer(selfSigned('evil.example'), (_request, response) => response.end('{}'));
  [port, foreignPort] = [await listening(server), await listening(foreign)];
  for (const one of [server, foreign]) {
    one.on('connection', (socket: Socket) => {
      sockets.add(socket);
      socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    });
    one.on('tlsClientError', () => {});
  }
  const root = fileURLToPath(new URL('../../../', import.meta.url));
  const modules = ['./fetch-outside.http.ts', './outside-url.ts', '../../guard/src/addresses.ts'].map(
    (file) => new URL(file, import.meta.url).href,
  );
  const sources = ['--conditions=@portcullis/source', '--import', '@swc-node/register/esm-register'];
  child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', ...sources, '--input-type=module', '-e', FETCHING, ...modules],
    {
      cwd: root,
      // what would weaken another client must not weaken this one
      env: {
        PATH: process.env['PATH'],
        SWC_NODE_PROJECT: `${root}tsconfig.base.json`,
        NODE_TLS_REJECT_UNAUTHORIZED: '0',
        NODE_NO_WARNINGS: '1',
        NODE_USE_ENV_PROXY: '1',
        HTTPS_PROXY: `http://127.0.0.1:${foreignPort}`,
      },
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  createInterface({ input: child.stdout! }).on('line', (line) => {
    const answer = JSON.parse(line) as Answer;
    waiting.get(answer.id)?.(answer);
  });
  child.once('exit', () => {
    open = false;
    for (const [id, answer] of waiting) answer({ id, says: 'the process ended' });
  });
});
afterAll(async () => {
  child.stdin!.end();
  if (open) await once(child, 'exit');
  for (const socket of sockets) socket.destroy();
  await Promise.all([server, foreign].map((one) => new Promise((resolve) => one.close(resolve))));
});
beforeEach(() => {
  requests.length = 0;
  setup();
});
const at = (path: string, host = 'keys.example'): string => `https://${host}:${port}${path}`;

test('an answer comes with its status, its body and nothing that could be kept as a credential', async () => {
  const answer = await ask(at('/jwks'), { json: true });
  expect(answer).toMatchObject({ status: 200, text: '{"keys":[]}', headers: [['content-type', 'application/json']] });
  expect(requests).toHaveLength(1);
  expect(Object.keys(requests[0]!.headers).sort()).toEqual([
    'accept',
    'accept-encoding',
    'connection',
    'host',
    'user-agent',
  ]);
  expect(requests[0]!.headers).toMatchObject({ host: `keys.example:${port}`, 'accept-encoding': 'identity' });
});

test('a body goes out as it is', async () => {
  const body = JSON.stringify({ a: 'ü' });
  expect(await ask(at('/hook'), { method: 'POST', body, contentType: 'application/json' })).toMatchObject({
    status: 200,
  });
  expect(requests).toMatchObject([{ method: 'POST', body, headers: { 'content-type': 'application/json' } }]);
});

test('an answer without a body, an error in JSON, the largest body and a name with two addresses are answers', async () => {
  expect(await ask(at('/nothing'))).toMatchObject({ status: 204, text: '' });
  expect(await ask(at('/problem'), { json: true })).toMatchObject({ status: 404, text: '{}' });
  expect((await ask(at('/fits'))).text).toHaveLength(64 * 1024);
  expect(await ask(at('/jwks', 'two.example'))).toMatchObject({ status: 200 });
});

describe('an answer that cannot be used', () => {
  test.each([
    ['301', '/redirect301', {}, 'redirect'],
    ['302', '/redirect302', {}, 'redirect'],
    ['307', '/redirect307', {}, 'redirect'],
    ['308', '/redirect308', {}, 'redirect'],
    ['304, which nobody asked for', '/redirect304', {}, 'redirect'],
    ['HTML for JSON', '/html', { json: true }, 'not_json'],
    ['no type for JSON', '/untyped', { json: true }, 'not_json'],
    ['a compressed body', '/zipped', {}, 'encoding'],
    ['a body that says it is too large', '/large', {}, 'too_large'],
    ['a body without end', '/endless', {}, 'too_large'],
    ['a body beyond a smaller bound', '/jwks', { maxBytes: 5 }, 'too_large'],
    ['a byte now and then', '/trickle', { timeoutMs: 300 }, 'timeout'],
    ['no answer', '/held', { timeoutMs: 300 }, 'timeout'],
    ['headers without end', '/headers', {}, 'failed'],
    ['a body that was cut', '/cut', {}, 'failed'],
    ['another protocol', '/upgrade', {}, 'failed'],
  ])('%s is refused', async (_says, path, init, rule) => {
    expect(await ask(at(path), init)).toMatchObject({ name: 'OutsideRefused', rule });
    expect(requests.filter((request) => request.path === '/jwks')).toHaveLength(path === '/jwks' ? 1 : 0);
  });
});

describe('a host that must not be asked', () => {
  test.each<[string, () => string, string]>([
    ['a name of ours', () => at('/jwks', 'inside.example'), 'address'],
    ['a name with one address out there and one of ours', () => at('/jwks', 'mixed.example'), 'address'],
    ['a name that nobody has', () => at('/jwks', 'unknown.example'), 'unresolved'],
    ['a name that is not on the list', () => 'https://other.example/', 'host_not_allowed'],
    ['a name that takes too long to find', () => at('/jwks', 'slow.example'), 'timeout'],
    ['a port that is not on the list', () => 'https://keys.example:8443/', 'port'],
  ])('%s gets no connection, and the refusal tells no address', async (_says, url, rule) => {
    const answer = await ask(url(), { timeoutMs: 300 });
    expect(answer).toMatchObject({ name: 'OutsideRefused', rule, cause: 'undefined' });
    expect(answer.says).not.toMatch(/\d+\.\d+\.\d+\.\d+|::/);
    expect(requests).toHaveLength(0);
  });

  test('loopback is one of them unless a test opens it', async () => {
    setup({ reach: undefined });
    expect(await ask(at('/jwks'))).toMatchObject({ rule: 'address' });
    expect(requests).toHaveLength(0);
  });

  test('a name is looked up once for each exchange, so that it cannot change on the way', async () => {
    const answers = [await ask(at('/jwks', 'rebinding.example')), await ask(at('/jwks', 'rebinding.example'))];
    expect(answers.map(({ status, rule }) => status ?? rule).sort()).toEqual([200, 'address']);
    expect(requests).toHaveLength(1);
  });
});

describe('a certificate', () => {
  test('of another name is refused, before anything is said', async () => {
    expect(await ask(`https://keys.example:${foreignPort}/jwks`)).toMatchObject({ rule: 'failed' });
  });
  test('that nobody known has signed is refused, whatever the environment says', async () => {
    setup({ ca: selfSigned('keys.example').cert });
    expect(await ask(at('/jwks'))).toMatchObject({ rule: 'failed' });
    expect(requests).toHaveLength(0);
  });
});

test('of many exchanges with one host at once four go out, and others are not held up by them', async () => {
  const busy = (path: string, timeoutMs: number) => ask(at(path, 'busy.example'), { timeoutMs });
  const held = Array.from({ length: 4 }, () => busy('/held', 700));
  const patient = busy('/jwks', 30_000);
  const hasty = busy('/jwks', 100);
  expect(await ask(at('/jwks'))).toMatchObject({ status: 200 });
  expect(await hasty).toMatchObject({ rule: 'busy' });
  expect(new Set((await Promise.all(held)).map(({ rule }) => rule))).toEqual(new Set(['timeout']));
  expect(await patient).toMatchObject({ status: 200 });
});

test.each([
  ['whose names end alike', {}],
  ['of one tenant', { owner: 'acme' }],
])('many slow hosts %s leave room for the hosts of others', async (_says, init) => {
  const never = new Promise<never>(() => {});
  const fetchOutside = createFetchOutside({
    addressesOf: (name) => (name.includes('slow') ? never : Promise.resolve([])),
  });
  const slow = Array.from({ length: 100 }, (_, n) =>
    fetchOutside(`https://h${n}.slow${'owner' in init ? n : ''}.example/jwks`, { timeoutMs: 500, ...init }).catch(
      (error: unknown) => error,
    ),
  );
  // looked up, and not turned away
  await expect(fetchOutside('https://keys.another.net/jwks', { owner: 'other' })).rejects.toMatchObject({
    rule: 'unresolved',
  });
  expect(await Promise.all(slow)).not.toContain(undefined);
});
