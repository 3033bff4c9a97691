import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DpopSession } from '@modelcontextprotocol/client';
import { expectNoSecrets, secretsOf } from '@portcullis/service/secrets.fixture';
import { importJWK, SignJWT, type JWK } from 'jose';
import type { Ready } from '../src/ready.js';

const MAIN = new URL('../dist/main.js', import.meta.url).pathname;
const CLI = new URL('../../cli/bin/portcullis.mjs', import.meta.url).pathname;
export const MODERN = '2026-07-28';

export interface DemoClient {
  readonly client_id: string;
  readonly client_secret?: string;
  readonly private_jwk?: JWK;
  readonly scopes: readonly string[];
}
export interface Demo {
  readonly issuer: string;
  readonly mcp: string;
  readonly clients: Readonly<Record<string, DemoClient>>;
  readonly users: readonly { username: string; password: string; roles: readonly string[] }[];
}

interface Asked {
  readonly scope?: string;
  readonly resource?: string;
  /** RFC 9396 */
  readonly authorization_details?: string;
}

/** The whole platform as a user starts it: its own process, its own ports, a data folder. */
export class Gate {
  private constructor(
    readonly ready: Ready,
    readonly demo: Demo,
    readonly child: ChildProcess,
    private readonly printed: string[],
    private readonly exited: Promise<number | null>,
    private readonly folder: string,
    readonly readyFile: string,
  ) {}

  /**
   * @param args given to main.js after the ones every test uses; `--data` keeps a folder across two starts
   * @param node given to Node.js itself
   * @param env  variables besides those that every process has
   */
  static async start(
    args: readonly string[] = ['--ephemeral'],
    node: readonly string[] = SOON_READY,
    env: Readonly<Record<string, string>> = {},
  ): Promise<Gate> {
    const folder = mkdtempSync(join(tmpdir(), 'portcullis-e2e-'));
    const readyFile = join(folder, 'ready.json');
    const { child, printed, exited } = launch(['--port-base', '0', '--ready-file', readyFile, ...args], node, env);
    const ready = await Promise.race([
      until(() => JSON.parse(readFileSync(readyFile, 'utf8')) as Ready, 55_000),
      exited.then((code) => {
        throw new Error(`the gate stopped with ${code} before it was ready:\n${printed.join('')}`);
      }),
    ]);
    const demo =
      ready.demo === null ? { issuer: '', mcp: '', clients: {}, users: [] } : secretsOf(readJson<Demo>(ready.demo));
    return new Gate(ready, demo, child, printed, exited, folder, readyFile);
  }

  /** Everything the process printed so far. */
  get output(): string {
    return this.printed.join('');
  }

  /** What a test was given must be nowhere in what the platform printed. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.child.kill(signal);
    const code = await this.exited;
    rmSync(this.folder, { recursive: true, force: true });
    expectNoSecrets('what the platform printed', this.output);
    return code;
  }

  /** A token of the local administrator for one of our APIs. */
  async adminToken(resource: string, scope: string, dpop?: DpopSession): Promise<string> {
    const jwk = secretsOf(readJson<JWK>(this.ready.admin));
    return this.tokenFor({ client_id: 'local-admin', private_jwk: jwk, scopes: [] }, { resource, scope }, dpop);
  }

  /** Registers a client of its own, so that its limits and its standing are nobody else's. */
  async newClient(scopes: readonly string[], more: Record<string, unknown> = {}): Promise<DemoClient> {
    const token = await this.adminToken(`${this.ready.authServer}/admin`, 'admin:clients platform:admin');
    const answer = await fetch(`${this.ready.authServer}/admin/v1/clients`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        name: 'e2e',
        auth_method: 'client_secret_basic',
        dpop_bound_access_tokens: false,
        scopes,
        ...more,
      }),
    });
    if (answer.status !== 201) throw new Error(`client not made: ${answer.status} ${await answer.text()}`);
    return { ...secretsOf((await answer.json()) as DemoClient), scopes };
  }

  /** The answer of the token endpoint for a machine client; with a session the token is bound to its key. */
  async requestToken(client: DemoClient, asked: Asked = {}, dpop?: DpopSession): Promise<Response> {
    const answer = await this.#requestTokenOnce(client, asked, dpop);
    const nonce = answer.headers.get('dpop-nonce');
    if (answer.ok || dpop === undefined || nonce === null) return answer;
    dpop.rememberNonce(this.ready.authServer, nonce);
    return this.#requestTokenOnce(client, asked, dpop);
  }

  async #requestTokenOnce(client: DemoClient, asked: Asked, dpop?: DpopSession): Promise<Response> {
    const url = `${this.ready.authServer}/token`;
    const body = new URLSearchParams({ grant_type: 'client_credentials', resource: this.ready.mcp, ...asked });
    const headers: Record<string, string> = {};
    if (client.private_jwk) {
      body.set('client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
      body.set('client_assertion', await assertion(client, this.ready.authServer));
    } else {
      const pair = `${client.client_id}:${client.client_secret}`;
      headers['authorization'] = `Basic ${Buffer.from(pair).toString('base64')}`;
    }
    if (dpop) headers['dpop'] = await dpop.buildProof({ htm: 'POST', htu: url });
    return fetch(url, { method: 'POST', headers, body });
  }

  async tokenFor(client: DemoClient, asked: Asked = {}, dpop?: DpopSession): Promise<string> {
    const answer = await this.requestToken(client, asked, dpop);
    if (answer.status !== 200) throw new Error(`no token: ${answer.status} ${await answer.text()}`);
    return secretsOf((await answer.json()) as { access_token: string }).access_token;
  }

  /** One JSON-RPC request of revision 2026-07-28, as any HTTP client could send it. */
  async post(
    token: string | undefined,
    method: string,
    params: Record<string, unknown> = {},
    headers: Record<string, string> = {},
    meta: Record<string, unknown> = {},
  ): Promise<Answer> {
    const name = (params['name'] ?? params['uri']) as string | undefined;
    const _meta = {
      'io.modelcontextprotocol/protocolVersion': MODERN,
      'io.modelcontextprotocol/clientCapabilities': {},
      ...meta,
    };
    const answer = await fetch(this.ready.mcp, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': MODERN,
        'mcp-method': method,
        ...(name !== undefined && { 'mcp-name': name }),
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...headers,
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta } }),
    });
    return { status: answer.status, headers: answer.headers, body: (await answer.json()) as Answer['body'] };
  }

  /** `npx portcullis …` against this gate. */
  async portcullis(...args: readonly string[]): Promise<{ code: number; out: string; said: string }> {
    const child = spawn(process.execPath, [CLI, ...args, '--ready-file', this.readyFile], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'] },
    });
    const [out, said] = ['', ''].map(() => [] as string[]) as [string[], string[]];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => said.push(chunk.toString()));
    const code = await new Promise<number>((resolve) => child.on('close', (status) => resolve(status ?? -1)));
    return { code, out: out.join(''), said: said.join('') };
  }

  call(token: string | undefined, tool: string, args: Record<string, unknown>): Promise<Answer> {
    return this.post(token, 'tools/call', { name: tool, arguments: args });
  }

  /** An API of ours, as the local administrator. */
  async analytics(path: string, init: RequestInit = {}): Promise<{ status: number; body: never }> {
    const token = await this.adminToken(`${this.ready.analytics}/v1`, 'security:read security:respond platform:admin');
    const answer = await fetch(`${this.ready.analytics}${path}`, {
      ...init,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    });
    return { status: answer.status, body: (await answer.json()) as never };
  }
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: {
    readonly result?: {
      readonly isError?: boolean;
      readonly structuredContent?: Record<string, unknown>;
      readonly content?: readonly { text: string }[];
      readonly tools?: readonly { name: string }[];
      readonly _meta?: Record<string, { code?: string }>;
    };
    readonly error?: {
      readonly code: number;
      readonly message: string;
      readonly data?: { readonly code?: string; readonly scopes?: string[] };
    };
  };
}

/**
 * For {@link Gate.start} and what runs beside it: a new database is a copy of an empty one, not made from nothing, and its code is not optimized,
 * which would pay in a process that lives long.
 */
export const SOON_READY: readonly string[] = [
  '--liftoff-only',
  '--import',
  new URL('copied-database.mjs', import.meta.url).href,
];
/** For {@link Gate.start}: everything as a user starts it. */
export const AS_INSTALLED: readonly string[] = [];
/** For {@link Gate.start}: a SIGUSR2 moves the clock of the whole platform on by 400 s. */
export const MOVABLE_CLOCK = [...SOON_READY, '--import', new URL('clock.mjs', import.meta.url).href];

/** What became of a call, in one word: `allowed`, or the code of the refusal. */
export const outcomeOf = ({ body }: Answer): string =>
  body.error?.data?.code ?? body.result?._meta?.['portcullis/refusal']?.code ?? 'allowed';

export function launch(
  args: readonly string[],
  node: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
) {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...node, MAIN, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
  });
  const printed: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => printed.push(chunk.toString()));
  const exited = new Promise<number | null>((resolve) => child.on('close', (code) => resolve(code)));
  return { child, printed, exited };
}

/** Tries until it neither throws nor answers undefined; fails after 20 s with the last error. */
export async function until<T>(attempt: () => T | Promise<T>, timeoutMs = 20_000): Promise<NonNullable<T>> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    try {
      const value = await attempt();
      if (value !== undefined && value !== null && value !== false) return value;
      if (Date.now() > deadline) throw new Error('timed out');
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const readJson = <T>(path: string): T => JSON.parse(readFileSync(path, 'utf8')) as T;

async function assertion(client: DemoClient, issuer: string): Promise<string> {
  const jwk = client.private_jwk as JWK;
  return new SignJWT({})
    .setProtectedHeader({ alg: 'ES256', ...(jwk.kid && { kid: jwk.kid }) })
    .setIssuer(client.client_id)
    .setSubject(client.client_id)
    .setAudience(issuer)
    .setJti(crypto.randomUUID())
    .setIssuedAt()
    .setExpirationTime('60s')
    .sign(await importJWK(jwk, 'ES256'));
}
