import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const MAIN = join(import.meta.dirname, '../../apps/standalone/dist/main.js');
const READY_MS = 90_000;

/**
 * The whole platform as a user starts it: embedded, on free ports, its data gone when it stops.
 * @returns {Promise<{ ready: Record<string, any>, demo: Record<string, any>, stop: () => Promise<void> }>}
 * @throws what the gate printed, when it stops before it is ready
 */
export async function startGate() {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-conformance-'));
  const readyFile = join(folder, 'ready.json');
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', MAIN, '--ephemeral', '--port-base', '0', '--ready-file', readyFile],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env.PATH, HOME: process.env.HOME } },
  );
  const printed = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => printed.push(String(chunk)));
  const closed = new Promise((resolve) => child.once('close', resolve));
  const stop = async () => {
    child.kill('SIGTERM');
    await closed;
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const ready = await Promise.race([
      readWhenThere(readyFile),
      closed.then((code) => {
        throw new Error(`the gate stopped with ${code} before it was ready:\n${printed.join('')}`);
      }),
    ]);
    return { ready, demo: JSON.parse(readFileSync(ready.demo, 'utf8')), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The file is written whole, by rename. */
async function readWhenThere(file) {
  const deadline = Date.now() + READY_MS;
  while (Date.now() < deadline) {
    try {
      return JSON.parse(readFileSync(file, 'utf8'));
    } catch (error) {
      if (error.code !== 'ENOENT') throw error;
      await sleep(100);
    }
  }
  throw new Error(`the gate was not ready within ${READY_MS / 1000} s`);
}
