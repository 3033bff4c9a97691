// One process of a service, started again when it ends.
import { spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const RESTART_AFTER_MS = 500;
const READY_WITHIN_MS = 60_000;

/**
 * @param {{ service: string, env: Record<string, string>, flags?: readonly string[], log: string, restarted(): void }} options
 *   `log`: the file its lines go to; `restarted` is called when it listens again
 * @returns {Promise<{ pid(): number, stop(): Promise<void> }>} resolves when it listens for the first time
 * @throws {Error} with the end of its log when it does not
 */
export async function startReplica({ service, env, flags = [], log, restarted }) {
  const program = fileURLToPath(new URL(`../../apps/${service}/dist/main.js`, import.meta.url));
  let stopping = false;
  /** @type {import('node:child_process').ChildProcess} */
  let child;
  /** @type {Promise<unknown>} */
  let gone;

  const start = () =>
    new Promise((resolve, reject) => {
      let end = '';
      child = spawn(
        process.execPath,
        [...flags, '--enable-source-maps', '--disable-warning=ExperimentalWarning', program],
        {
          env: { PATH: process.env.PATH, ...env },
          stdio: ['ignore', 'ignore', 'pipe'],
        },
      );
      const timer = setTimeout(() => child.kill('SIGKILL'), READY_WITHIN_MS);
      child.stderr.setEncoding('utf8').on('data', (text) => {
        appendFileSync(log, text, { mode: 0o600 });
        end = (end + text).slice(-4000);
        if (!end.includes('"msg":"listening"')) return;
        clearTimeout(timer);
        resolve(undefined);
      });
      gone = new Promise((over) => child.once('exit', over));
      child.once('exit', () => {
        clearTimeout(timer);
        reject(new Error(`${service} ended; the end of ${log}:\n${end}`));
        if (!stopping) setTimeout(again, RESTART_AFTER_MS);
      });
    });
  // what it cannot reach now it may reach the next time
  const again = () => (stopping ? undefined : start().then(restarted, () => {}));

  try {
    await start();
  } catch (error) {
    stopping = true;
    throw error;
  }
  return {
    pid: () => child.pid,
    async stop() {
      stopping = true;
      child.kill('SIGTERM');
      await gone;
    },
  };
}
