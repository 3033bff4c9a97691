import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AS_INSTALLED, Gate, launch, outcomeOf, until } from './gate.js';

const ROOT = new URL('../../..', import.meta.url).pathname;

let data: string;
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'portcullis-data-'));
});
afterEach(() => rmSync(data, { recursive: true, force: true }));

const mode = (path: string): number => statSync(path).mode & 0o777;
const keyIds = async (gate: Gate): Promise<string[]> => {
  const answer = await fetch(`${gate.ready.authServer}/jwks`);
  return ((await answer.json()) as { keys: { kid: string }[] }).keys.map(({ kid }) => kid);
};

test('a second start keeps keys, demo accounts and data; the ready file goes with a clean stop', async () => {
  const first = await Gate.start(['--data', data], AS_INSTALLED);
  const { clients, users } = first.demo;
  const kids = await keyIds(first);
  const agent = clients['support-agent']!;
  const made = await first.call(await first.tokenFor(agent), 'create_support_ticket', {
    customer_id: '12345',
    subject: 'Kept',
    description: 'Must be there after a restart.',
  });
  const scoped = await first.call(await first.tokenFor(agent, { scope: 'ticket:create' }), 'create_support_ticket', {
    customer_id: '12345',
    subject: 'Kept',
    description: 'Must be there after a restart.',
  });
  expect([outcomeOf(made), outcomeOf(scoped)]).toEqual(['scope_insufficient', 'allowed']);
  const ticketId = scoped.body.result!.structuredContent!['ticket_id'] as string;
  expect(existsSync(join(data, 'ready.json'))).toBe(true);
  expect(await first.stop()).toBe(0);
  expect(existsSync(join(data, 'ready.json'))).toBe(false);

  const second = await Gate.start(['--data', data], AS_INSTALLED);
  expect(second.demo.clients).toEqual(clients);
  expect(second.demo.users).toEqual(users);
  expect(await keyIds(second)).toEqual(kids);
  const read = await second.call(await second.tokenFor(agent), 'get_support_ticket', { ticket_id: ticketId });
  expect(read.body.result?.structuredContent).toMatchObject({ subject: 'Kept' });
  expect(await second.stop('SIGINT')).toBe(0);
}, 120_000);

test('two starts on one data directory: the second says why it stops and harms nothing', async () => {
  const gate = await Gate.start(['--data', data]);
  const ready = readFileSync(join(data, 'ready.json'), 'utf8');
  const { printed, exited } = launch(['--port-base', '0', '--data', data]);
  expect(await exited).toBe(1);
  expect(printed.join('')).toContain(data);
  expect(printed.join('')).toContain(String(gate.ready.pid));
  expect(printed.join('')).not.toMatch(/\n\s+at /);
  expect(readFileSync(join(data, 'ready.json'), 'utf8')).toBe(ready);
  const token = await gate.tokenFor(gate.demo.clients['support-agent']!);
  expect(outcomeOf(await gate.call(token, 'get_customer_info', { customer_id: '12345' }))).toBe('allowed');
  expect(await gate.stop()).toBe(0);
}, 120_000);

test('after kill -9 the next start works on the same data, and no recorded event is lost', async () => {
  const first = await Gate.start(['--data', data]);
  const client = await first.newClient(['customer:read']);
  const token = await first.tokenFor(client);
  for (let n = 0; n < 20; n++) await first.call(token, 'get_customer_info', { customer_id: '12345' });
  await first.stop('SIGKILL');

  const second = await Gate.start(['--data', data]);
  const calls = await until(async () => {
    const { body } = await second.analytics('/v1/events?type=portcullis.call.v1&limit=200');
    const { items } = body as { items: { data: { clientId?: string } }[] };
    const mine = items.filter((event) => event.data.clientId === client.client_id);
    return mine.length >= 20 ? mine : undefined;
  });
  expect(calls).toHaveLength(20);
  expect(await second.stop()).toBe(0);
}, 120_000);

test('everything secret is 0600 in folders that are 0700', async () => {
  chmodSync(data, 0o755);
  const gate = await Gate.start(['--data', data]);
  for (const file of ['ready.json', 'demo.json', 'admin.json'])
    expect([file, mode(join(data, file))]).toEqual([file, 0o600]);
  expect(mode(join(data, 'keys'))).toBe(0o700);
  for (const file of readdirSync(join(data, 'keys')))
    expect([file, mode(join(data, 'keys', file))]).toEqual([file, 0o600]);
  await gate.stop();
}, 60_000);

test('a taken port is named, and nothing is left behind', async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const { port } = taken.address() as AddressInfo;
  const { printed, exited } = launch(['--port-base', String(port), '--data', data]);
  expect(await exited).toBe(1);
  expect(printed.join('')).toContain(String(port));
  expect(printed.join('')).not.toMatch(/\n\s+at /);
  expect(existsSync(join(data, 'ready.json'))).toBe(false);
  await new Promise((resolve) => taken.close(resolve));
}, 60_000);

test('--help prints the options and exits 0; wrong use exits 2 and names the option', async () => {
  const help = launch(['--help']);
  expect(await help.exited).toBe(0);
  expect(help.printed.join('')).toContain('--port-base');
  const wrong = launch(['--port-base', 'x']);
  expect(await wrong.exited).toBe(2);
  expect(wrong.printed.join('')).toContain('--port-base');
}, 60_000);

test('--no-demo makes no demo accounts', async () => {
  const gate = await Gate.start(['--ephemeral', '--no-demo'], AS_INSTALLED);
  expect(gate.ready.demo).toBeNull();
  const guess = { client_id: 'support-agent', client_secret: 'x', scopes: [] };
  const answer = await gate.requestToken(guess);
  expect([answer.status, ((await answer.json()) as { error: string }).error]).toEqual([401, 'invalid_client']);
  await gate.stop();
}, 60_000);

test.each([
  ['SIGTERM to npm alone', 'SIGTERM', false],
  ['Ctrl-C, which reaches the whole group', 'SIGINT', true],
] as const)(
  'npm start ends with 0 and leaves nothing running: %s',
  async (_how, signal, group) => {
    const readyFile = join(data, 'ready-elsewhere.json');
    const args = ['start', '--silent', '--', '--port-base', '0', '--data', data, '--ready-file', readyFile];
    const npm = spawn('npm', args, { cwd: ROOT, stdio: 'ignore', detached: true });
    const exited = new Promise<number | null>((done) => npm.on('close', done));
    const { pid } = await until(() => JSON.parse(readFileSync(readyFile, 'utf8')) as { pid: number }, 55_000);
    process.kill(group ? -npm.pid! : npm.pid!, signal);
    expect(await exited).toBe(0);
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  },
  120_000,
);
