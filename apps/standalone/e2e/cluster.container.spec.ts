import { expect, test } from '@jest/globals';
import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const root = new URL('../../../', import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), 'portcullis-cluster-spec-'));
const run = promisify(execFile);
const SERVICES = ['auth-server', 'mcp-server', 'rate-limiter', 'security-analytics'];

test('two processes of each service are one gate: the demo goes as expected, and all of it ends with a signal', async () => {
  const readyFile = join(folder, 'ready.json');
  const child = spawn(process.execPath, ['tools/cluster/cluster.mjs', '--port-base', '0', '--ready-file', readyFile], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  while (!existsSync(readyFile)) {
    if (child.exitCode !== null) throw new Error(said);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const ready = JSON.parse(readFileSync(readyFile, 'utf8'));
  expect(statSync(readyFile).mode & 0o777).toBe(0o600);
  expect(ready.processes.map(({ service }: { service: string }) => service).toSorted()).toEqual(
    SERVICES.flatMap((service) => [service, service]),
  );
  expect(Object.keys(ready.containers).toSorted()).toEqual(['kafka', 'postgres', 'redis']);
  const states = await Promise.all(
    ready.processes.map(async ({ management }: { management: string }) => (await fetch(`${management}/readyz`)).status),
  );
  expect(new Set(states)).toEqual(new Set([200]));

  const cli = ['apps/cli/bin/portcullis.mjs', 'demo', '--json', '--ready-file', readyFile];
  const { stdout } = await run(process.execPath, cli, { cwd: root, maxBuffer: 16 * 1024 * 1024 });
  const scenarios = JSON.parse(stdout) as { scenario: string; ok: boolean }[];
  expect(scenarios.filter(({ ok }) => !ok)).toEqual([]);
  expect(scenarios).toHaveLength(10);

  child.kill('SIGTERM');
  expect(await exited).toBe(0);
  expect(existsSync(readyFile)).toBe(false);
}, 300_000);

test('what dies is back by itself; nothing is lost, doubled, or let through', async () => {
  const json = join(folder, 'chaos.json');
  const faults = 'kill mcp-server/1,kill kafka';
  const done = run(process.execPath, ['tools/attack/attack.mjs', 'chaos', '--faults', faults, '--json', json], {
    cwd: root,
    maxBuffer: 16 * 1024 * 1024,
  });
  const { stdout } = await done.catch((error: { stdout: string; stderr: string }) => {
    throw new Error(`${error.stdout}\n${error.stderr}`);
  });
  expect(stdout).toContain('held');
  const rows = JSON.parse(readFileSync(json, 'utf8')) as Record<string, unknown>[];
  expect(rows.map(({ fault }) => fault).toSorted()).toEqual(faults.split(',').toSorted());
  const nothing = { lost: 0, doubled: 0, overLimit: 0, revokedAccepted: 0, recoverySeconds: expect.any(Number) };
  for (const row of rows) expect(row).toMatchObject(nothing);
}, 600_000);
