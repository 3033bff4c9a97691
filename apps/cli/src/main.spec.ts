import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../../..');
/** From the sources, so that no test runs what was built before the last change. */
const FROM_SOURCE = [
  '--conditions=@portcullis/source',
  '--import',
  '@swc-node/register/esm-register',
  join(import.meta.dirname, 'main.ts'),
];

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'portcullis-cli-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Runs the tool as its own process. */
async function portcullis(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, [...FROM_SOURCE, ...args], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, SWC_NODE_PROJECT: 'tsconfig.base.json', NODE_NO_WARNINGS: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => (said.out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (said.err += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, ...said };
}

/** A URL where somebody listened a moment ago and nobody does now. */
async function nobody(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}

describe('the process', () => {
  test('scopes --json exits 0 with JSON alone on stdout', async () => {
    const { code, out, err } = await portcullis(['scopes', '--json']);
    expect([code, err]).toEqual([0, '']);
    expect(JSON.parse(out)).toEqual(
      expect.arrayContaining([expect.objectContaining({ scope: 'customer:read', holder: 'client' })]),
    );
  }, 30_000);

  test('an unknown verb exits 2 with nothing on stdout', async () => {
    expect(await portcullis(['no-such-verb'])).toMatchObject({ code: 2, out: '' });
  }, 30_000);

  test('a client that proves itself by a key needs one: --jwks is asked for before anything is sent', async () => {
    const args = ['client', 'add', 'x', '--scope', 'customer:read', '--auth-method', 'private_key_jwt'];
    const { code, err } = await portcullis(args);
    expect([code, err]).toEqual([2, expect.stringContaining('--jwks')]);
  }, 30_000);

  test('bootstrap runs the authorization server’s own program, and passes its words on', async () => {
    const missing = join(dir, 'none.json');
    const env = { PORTCULLIS_READY_FILE: missing, AUTH_ISSUER: 'http://auth.example', DATABASE_URL: 'pglite://memory' };
    const { code, out, err } = await portcullis(['bootstrap'], env);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(/DATABASE_URL: must be a postgres:\/\/ URL/);
    expect(await portcullis(['bootstrap'], { ...env, PORTCULLIS_MODE: 'embedded' })).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringContaining('Embedded mode has an administrator already'),
    });
  }, 30_000);

  test('without a gate a verb exits 2 and names the file it looked for', async () => {
    const missing = join(dir, 'none.json');
    const { code, out, err } = await portcullis(['agent', 'list', '--json'], { PORTCULLIS_READY_FILE: missing });
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(`${missing} is not there`);
  }, 30_000);

  describe('beside a gate that answers little', () => {
    let server: Server;
    let ready: string;
    const asked: { url: string | undefined; body: string }[] = [];

    beforeAll(async () => {
      server = createServer((request, response) => {
        const note = { url: request.url, body: '' };
        asked.push(note);
        request.on('data', (chunk: Buffer) => (note.body += chunk.toString()));
        request.on('end', () => response.writeHead(request.url === '/healthz' ? 200 : 503).end('{}'));
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const folder = join(dir, 'data');
      mkdirSync(folder, { mode: 0o700 });
      ready = join(folder, 'ready.json');
      const admin = join(folder, 'admin.json');
      const management = { authServer: base, mcpServer: base, rateLimiter: base, analytics: base };
      const parts = { authServer: base, mcpServer: base, mcp: `${base}/mcp`, rateLimiter: base, analytics: base };
      writeFileSync(ready, JSON.stringify({ ...parts, management, admin, pid: 1 }), { mode: 0o600 });
      writeFileSync(admin, '{"kty":"EC","crv":"P-256"}', { mode: 0o600 });
    });
    afterAll(() => new Promise((resolve) => server.close(resolve)));

    test('doctor exits 1, and says of each check what was seen', async () => {
      const { code, out, err } = await portcullis(['doctor', '--json', '--ready-file', ready]);
      expect([code, err]).toEqual([1, '']);
      const findings = JSON.parse(out) as { check: string; ok: boolean | null; todo?: string }[];
      expect(findings.filter(({ ok }) => ok).map(({ check }) => check)).toEqual([
        'auth-server healthz',
        'mcp-server healthz',
        'rate-limiter healthz',
        'security-analytics healthz',
      ]);
      expect(findings.filter(({ ok }) => ok === false).every(({ todo }) => todo)).toBe(true);
    }, 30_000);

    test('a key that others can read is not used: exit 2, and nobody is asked for a token', async () => {
      chmodSync(join(dir, 'data/admin.json'), 0o644);
      asked.length = 0;
      const { code, err } = await portcullis(['demo', '--ready-file', ready]);
      chmodSync(join(dir, 'data/admin.json'), 0o600);
      expect(code).toBe(2);
      expect(err).toMatch(/key is not used: .*admin\.json can be read by others: run 'chmod 600/);
      expect(asked.filter(({ body }) => body.includes('client_assertion'))).toEqual([]);
    }, 30_000);
  });

  test('a ready file left over from a gate that was killed is no gate: exit 2', async () => {
    const folder = join(dir, 'stale');
    mkdirSync(folder, { mode: 0o700 });
    const base = await nobody();
    const parts = { authServer: base, mcpServer: base, mcp: `${base}/mcp`, rateLimiter: base, analytics: base };
    const admin = join(folder, 'admin.json');
    writeFileSync(admin, '{}', { mode: 0o600 });
    writeFileSync(join(folder, 'ready.json'), JSON.stringify({ ...parts, management: {}, admin, pid: 1 }), {
      mode: 0o600,
    });
    const { code, out, err } = await portcullis(['keys', 'list', '--data', folder]);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(`No gate found: ${base} does not answer`);
  }, 30_000);

  test('a gate that is gone fails the checks of doctor, in one sentence each', async () => {
    const base = await nobody();
    const { code, out, err } = await portcullis(['doctor', '--url', base, '--data', join(dir, 'none')]);
    expect(code).toBe(1);
    expect(out.replace(/ +/g, ' ')).toContain(`mcp-server healthz FAIL ${base} does not answer`);
    expect(err).toBe('');
  }, 30_000);
});

describe('the npm bin', () => {
  /** A copy of the bin beside a `dist` of its own. */
  function bin(main: string | undefined, ...nodeArgs: string[]) {
    const app = mkdtempSync(join(dir, 'app-'));
    mkdirSync(join(app, 'bin'));
    copyFileSync(join(import.meta.dirname, '../bin/portcullis.mjs'), join(app, 'bin/portcullis.mjs'));
    if (main !== undefined) {
      mkdirSync(join(app, 'dist'));
      writeFileSync(join(app, 'package.json'), '{"type":"module"}');
      writeFileSync(join(app, 'dist/main.js'), main);
    }
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [...nodeArgs, join(app, 'bin/portcullis.mjs'), 'demo'],
      {
        encoding: 'utf8',
        env: { PATH: process.env.PATH },
      },
    );
    return { status, stdout, stderr };
  }

  test('starts the tool with its arguments', () => {
    expect(bin('console.log(process.argv[2]); process.exitCode = 1;')).toEqual({
      status: 1,
      stdout: 'demo\n',
      stderr: '',
    });
  });

  test('before anything is built it says what to run', () => {
    const { status, stderr } = bin(undefined);
    expect([status, stderr]).toEqual([2, "portcullis is not built yet: run 'npm start' or 'npm run build' once.\n"]);
  });

  test('on an older Node it says how to get the right one', () => {
    const old = "data:text/javascript,Object.defineProperty(process, 'versions', { value: { node: '20.20.2' } })";
    const { status, stderr } = bin('', '--import', old);
    expect(status).toBe(2);
    expect(stderr).toMatch(/needs Node 24 and this is 20\.20\.2: run it as 'npx portcullis'/);
  });
});
