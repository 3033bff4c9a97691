// A server under measurement: a process of its own, so that its CPU time is its own.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import autocannon from 'autocannon';

/**
 * Starts a server program, which must send `{ url, … }` when it is ready and answer `'usage'` with its CPU time.
 * @returns what it sent, and `load` and `stop`
 */
export async function startPeer(program, env = {}) {
  const child = fork(fileURLToPath(new URL(program, import.meta.url)), {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let errors = '';
  child.stderr.on('data', (chunk) => (errors = (errors + chunk).slice(-4000)));
  const ready = await Promise.race([
    message(child),
    new Promise((_, reject) =>
      child.once('exit', (code) => reject(new Error(`${program} ended (${code})\n${errors}`))),
    ),
  ]);
  return {
    ...ready,
    /** @returns tokens a second, CPU microseconds a token (all threads of the server), p99 in ms, wrong answers */
    async load({ seconds, connections, requests }) {
      const before = await usage(child);
      const found = await autocannon({ url: ready.url, duration: seconds, connections, requests });
      const after = await usage(child);
      const good = found['2xx'];
      return {
        perSecond: good / found.duration,
        cpuMicros: (after - before) / Math.max(1, good),
        p99: found.latency.p99,
        wrong: found.non2xx + found.errors + found.timeouts,
      };
    },
    async stop() {
      child.removeAllListeners('exit');
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await gone;
    },
  };
}

/** For the server programs: says that they are ready, and what CPU time they have used. */
export function answerParent(ready) {
  process.on('message', (asked) => {
    if (asked !== 'usage') return;
    const { user, system } = process.cpuUsage();
    process.send(user + system);
  });
  process.on('disconnect', () => process.exit());
  process.send(ready);
}

const message = (child) => new Promise((resolve) => child.once('message', resolve));
async function usage(child) {
  const answer = message(child);
  child.send('usage');
  return answer;
}

export const median = (numbers) => {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};
