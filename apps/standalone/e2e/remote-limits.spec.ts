import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { principalId } from '@portcullis/contract/ids';
import { Gate, outcomeOf, SOON_READY, until, type Answer, type DemoClient } from './gate.js';

const MCP_SERVER = new URL('../../mcp-server/dist/main.js', import.meta.url).pathname;

let gate: Gate;
let folder: string;
beforeAll(async () => {
  gate = await Gate.start();
  folder = mkdtempSync(join(tmpdir(), 'portcullis-remote-'));
}, 60_000);
afterAll(async () => {
  await gate.stop();
  rmSync(folder, { recursive: true });
});

/** A pair of keys of a service: the private one in a file, which the settings name. */
function keyFile(name: string) {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify(privateKey.export({ format: 'jwk' })), { mode: 0o600 });
  return { path, publicJwk: publicKey.export({ format: 'jwk' }) };
}

/** One more mcp-server of the same resource, a process of its own that has the limits decided elsewhere. */
async function startReplica(clientId: string, keyPath: string) {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...SOON_READY, MCP_SERVER], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      PORTCULLIS_MODE: 'embedded',
      PORT: '0',
      AUTH_ISSUER: gate.ready.authServer,
      MCP_RESOURCE: gate.ready.mcp,
      RATE_LIMITER_URL: gate.ready.rateLimiter!,
      DATABASE_URL: 'pglite://memory',
      OUTBOX_DIR: mkdtempSync(join(folder, 'outbox-')),
      DEMO: 'true',
      LIMITS_URL: gate.ready.rateLimiter!,
      SERVICE_CLIENT_ID: clientId,
      SERVICE_KEY_FILE: keyPath,
      // as many tests as there are run beside this one
      LIMITS_DEADLINE_MS: '10000',
    },
  });
  const printed: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => printed.push(String(chunk)));
  const exited = new Promise((resolve) => child.on('close', resolve));
  const urls = await until(() => {
    if (child.exitCode !== null) throw new Error(printed.join(''));
    return /"url":"([^"]+)".*"management":"([^"]+)"/.exec(printed.join(''));
  }, 50_000);
  const [, url, management] = urls as unknown as [string, string, string];
  const call = async (token: string, customer: string): Promise<Answer> => {
    const answer = await fetch(`${url}/mcp`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2025-06-18',
        authorization: `Bearer ${token}`,
      },
      body: JSON.stringify({
        ...{ jsonrpc: '2.0', id: 1, method: 'tools/call' },
        params: { name: 'get_customer_info', arguments: { customer_id: customer } },
      }),
    });
    return { status: answer.status, headers: answer.headers, body: (await answer.json()) as Answer['body'] };
  };
  const stop = async (): Promise<string> => {
    child.kill();
    await exited;
    return printed.join('');
  };
  return { management, call, stop };
}

const machine = (publicJwk: object, more: object) =>
  gate.newClient(['limits:decide'], { auth_method: 'private_key_jwt', jwks: { keys: [publicJwk] }, ...more });

test('two mcp-servers and a gateway draw on one count, and a service without its rights decides nothing', async () => {
  const { path, publicJwk } = keyFile('service.json');
  const service = await machine(publicJwk, { all_tenants: true });
  const replica = await startReplica(service.client_id, path);
  try {
    const agent = await gate.newClient(['customer:read']);
    const token = await gate.tokenFor(agent);
    const outcomes: string[] = [];
    for (let n = 0; n < 60; n++) {
      const answer =
        n % 2 === 0 ? replica.call(token, '12345') : gate.call(token, 'get_customer_info', { customer_id: '12345' });
      outcomes.push(outcomeOf(await answer));
    }
    expect(outcomes).toEqual(Array(60).fill('allowed'));
    expect(await replica.call(token, '12345')).toMatchObject({
      status: 429,
      body: { error: { data: { code: 'rate_limited', limitType: 'requests' } } },
    });
    expect(outcomeOf(await gate.call(token, 'get_customer_info', { customer_id: '12345' }))).toBe('rate_limited');

    // what was reserved is settled there: 500 a call, of which far less was used
    const gateway = await gate.newClient(['limits:decide']);
    const asked = { principal: principalId('default', agent.client_id), llmTokens: 100_000 };
    expect((await decide(gateway, asked)).remaining).toBeGreaterThan(100_000 - 60 * 400);

    // other tenants are its own business too: it says so in its readiness, which asks about the default one
    expect((await fetch(`${replica.management}/readyz`)).status).toBe(200);
  } finally {
    expect(await replica.stop()).not.toContain('"d":');
  }
}, 120_000);

test('a service of another tenant gets no decision: the calls it would serve are refused', async () => {
  const { path, publicJwk } = keyFile('stranger.json');
  const stranger = await machine(publicJwk, { tenant: 'elsewhere' });
  const replica = await startReplica(stranger.client_id, path);
  try {
    const token = await gate.tokenFor(await gate.newClient(['customer:read']));
    expect(await replica.call(token, '12345')).toMatchObject({
      status: 503,
      body: { error: { data: { code: 'overloaded' } } },
    });
    expect((await fetch(`${replica.management}/readyz`)).status).toBe(503);
  } finally {
    expect(await replica.stop()).toContain('the rate limiter gives no decision');
  }
}, 120_000);

async function decide(client: DemoClient, question: object): Promise<{ remaining: number }> {
  const resource = `${gate.ready.rateLimiter}/v1`;
  const token = await gate.tokenFor(client, { resource, scope: 'limits:decide' });
  const answer = await fetch(`${resource}/decide`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(question),
  });
  return (await answer.json()) as { remaining: number };
}
