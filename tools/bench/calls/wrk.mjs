// The load by wrk, where it is installed: at ten thousand calls a second a generator on Node takes so much of the machine
// that what it measures costs a third more, and the faster a server is the more it suffers.
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const SCRIPT = fileURLToPath(new URL('./wrk.lua', import.meta.url));
const run = promisify(execFile);

export function isInstalled() {
  try {
    execFileSync('wrk', ['-v'], { stdio: 'ignore' });
    return true;
  } catch (error) {
    return error.code !== 'ENOENT';
  }
}

/**
 * Sends requests in turn, from `from` on, over keep-alive connections, one at a time on each. `wrong` counts answers that
 * are no success, and connections that broke; what stands in an answer is not looked at.
 * @param {{ port: number, connections: number, requests: Buffer[], from?: number, seconds: number }} options
 */
export async function wrkLoad({ port, connections, requests, from = 0, seconds }) {
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-bench-'));
  try {
    const file = join(dir, 'requests');
    writeFileSync(file, Buffer.concat(requests.flatMap((one) => [Buffer.from(`${one.length}\n`), one])), {
      mode: 0o600,
    });
    const url = `http://127.0.0.1:${port}/mcp`;
    const asked = ['-t1', `-c${connections}`, `-d${seconds}s`, '-s', SCRIPT, url, '--', file, String(from)];
    const { stdout } = await run('wrk', asked);
    const { calls, micros, p50, p99, wrong } = JSON.parse(stdout.slice(stdout.lastIndexOf('\n{')));
    return { calls, perSecond: (calls * 1e6) / micros, p50: p50 / 1000, p99: p99 / 1000, wrong };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
