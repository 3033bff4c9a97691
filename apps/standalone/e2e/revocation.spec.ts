import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { Gate, outcomeOf, until, type DemoClient } from './gate.js';

/** The same ports over a restart, so that a token of before still names the right issuer; below those the system hands out. */
const PORT_BASE = 30_000 + (process.pid % 20) * 110;
const CLI = new URL('../../cli/bin/portcullis.mjs', import.meta.url).pathname;

let data: string;
let gate: Gate;
const start = async (): Promise<void> => {
  gate = await Gate.start(['--data', data, '--port-base', String(PORT_BASE)]);
};
beforeAll(async () => {
  data = mkdtempSync(join(tmpdir(), 'portcullis-data-'));
  await start();
}, 60_000);
afterAll(async () => {
  await gate.stop();
  rmSync(data, { recursive: true, force: true });
});

const lookUp = async (token: string) =>
  outcomeOf(await gate.call(token, 'get_customer_info', { customer_id: '12345' }));
/** A revocation takes effect within a second of its answer; asked every 20 ms until then. */
const refusedWithinASecond = (token: string) =>
  until(async () => ((await lookUp(token)) === 'token_invalid' ? true : undefined), 1_000);
async function revoke(client: DemoClient, token: string): Promise<number> {
  const authorization = `Basic ${Buffer.from(`${client.client_id}:${client.client_secret}`).toString('base64')}`;
  const body = new URLSearchParams({ token });
  return (await fetch(`${gate.ready.authServer}/revoke`, { method: 'POST', headers: { authorization }, body })).status;
}
async function admin(method: string, path: string, body?: object): Promise<number> {
  const token = await gate.adminToken(`${gate.ready.authServer}/admin`, 'admin:clients admin:users platform:admin');
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const init = { method, headers, ...(body && { body: JSON.stringify(body) }) };
  return (await fetch(`${gate.ready.authServer}/admin/v1${path}`, init)).status;
}

test('a revoked token is refused within a second, and stays refused after kill -9; its client works on', async () => {
  const client = await gate.newClient(['customer:read']);
  const [gone, kept] = [await gate.tokenFor(client), await gate.tokenFor(client)];
  expect([await lookUp(gone), await lookUp(kept)]).toEqual(['allowed', 'allowed']);
  expect(await revoke(client, gone)).toBe(200);
  await refusedWithinASecond(gone);
  expect(await lookUp(kept)).toBe('allowed');

  const disabled = await gate.newClient(['customer:read']);
  const theirs = await gate.tokenFor(disabled);
  expect(await admin('PATCH', `/clients/${disabled.client_id}`, { disabled: true })).toBe(200);
  await refusedWithinASecond(theirs);

  await gate.stop('SIGKILL');
  await start();
  const outcomes = [await lookUp(gone), await lookUp(theirs), await lookUp(kept)];
  expect(outcomes).toEqual(['token_invalid', 'token_invalid', 'allowed']);
  expect(await lookUp(await gate.tokenFor(client))).toBe('allowed');
}, 120_000);

test('every API of ours refuses a revoked token with a challenge', async () => {
  const { authServer, rateLimiter, analytics, mcpServer } = gate.ready;
  const rows: [string, string, string, string][] = [
    [`${analytics}/v1`, 'security:read', 'GET', `${analytics}/v1/agents`],
    [`${authServer}/admin`, 'admin:clients', 'GET', `${authServer}/admin/v1/clients`],
    [`${mcpServer}/admin`, 'platform:admin', 'PUT', `${mcpServer}/admin/v1/drills/not-a-drill`],
  ];
  const limited = await gate.newClient(['limits:decide']);
  const limiterToken = await gate.tokenFor(limited, { resource: `${rateLimiter}/v1`, scope: 'limits:decide' });
  const tokens = await Promise.all(rows.map(([audience, scope]) => gate.adminToken(audience, scope)));
  const asks: [string, string, string][] = [
    ...rows.map(([, , method, url], i): [string, string, string] => [method, url, tokens[i] ?? '']),
    ['POST', `${rateLimiter}/v1/decide`, limiterToken],
  ];
  for (const [method, url, token] of asks) {
    const ask = () => fetch(url, { method, headers: { authorization: `Bearer ${token}` } });
    expect([401, 403]).not.toContain((await ask()).status);
    expect(await admin('POST', '/revocations', { what: 'token', token })).toBe(200);
    const refused = await ask();
    expect([url, refused.status]).toEqual([url, 401]);
    expect(refused.headers.get('www-authenticate')).toContain('error="invalid_token"');
  }
});

test('portcullis token revoke takes a token from a file or from stdin, and an agent by its client_id', async () => {
  const client = await gate.newClient(['customer:read']);
  const [first, second, third] = await Promise.all([1, 2, 3].map(() => gate.tokenFor(client)));
  const file = join(data, 'token.txt');
  writeFileSync(file, `${first}\n`, { mode: 0o600 });
  const { code, out } = await gate.portcullis('token', 'revoke', '--file', file, '--json');
  expect([code, JSON.parse(out)]).toEqual([0, { what: 'token', id: decodeJwt(first!).jti, revoked: true }]);
  await refusedWithinASecond(first!);

  const args = [CLI, 'token', 'revoke', '--file', '-', '--json', '--ready-file', gate.readyFile];
  const piped = spawnSync(process.execPath, args, { input: second!, encoding: 'utf8' });
  expect([piped.status, JSON.parse(piped.stdout)]).toMatchObject([0, { id: decodeJwt(second!).jti }]);
  await refusedWithinASecond(second!);

  expect(await lookUp(third!)).toBe('allowed');
  expect((await gate.portcullis('token', 'revoke', '--agent', client.client_id, '--reason', 'a drill')).code).toBe(0);
  await refusedWithinASecond(third!);
  expect((await gate.portcullis('token', 'revoke', '--file', file, '--grant', 'x')).code).toBe(2);
  expect(gate.output).not.toContain(first!);
});
