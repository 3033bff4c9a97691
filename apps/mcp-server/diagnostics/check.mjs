// Started by src/diagnostics/child.process.ts as a process of its own, without environment and without rights to write, to
// start programs or to read other files. Its one argument is the check, its standard input a fixed JSON text, and its
// answer one JSON object on standard output.
import { statfs } from 'node:fs/promises';

/** Share of the disk below which the spool is in danger. */
const LEAST_FREE = 0.05;

/** Which lines of the service's own /readyz speak of what. */
const LINES = { database: ['database'], bus: ['standing', 'revocations'], limiter: ['limiter'] };

async function fromReadyz(names, { readyzUrl }) {
  const response = await fetch(readyzUrl, { signal: AbortSignal.timeout(4_000), redirect: 'error' });
  const { checks } = await response.json();
  const findings = names.map((name) => ({ name, value: String(checks[name] ?? 'not known').slice(0, 100) }));
  return { ok: findings.every(({ value }) => value === 'ok'), findings };
}

async function disk({ spool }) {
  const { bsize, blocks, bavail } = await statfs(spool);
  const free = blocks === 0 ? 0 : bavail / blocks;
  return {
    ok: free >= LEAST_FREE,
    findings: [
      { name: 'free_mib', value: String(Math.floor((bavail * bsize) / 1024 ** 2)) },
      { name: 'free_percent', value: (free * 100).toFixed(1) },
    ],
  };
}

function runtime() {
  const { node, v8, openssl } = process.versions;
  const { platform, arch } = process;
  const known = { node, v8, openssl, platform, arch };
  return { ok: true, findings: Object.entries(known).map(([name, value]) => ({ name, value })) };
}

const CHECKS = {
  database: (about) => fromReadyz(LINES.database, about),
  bus: (about) => fromReadyz(LINES.bus, about),
  limiter: (about) => fromReadyz(LINES.limiter, about),
  disk,
  runtime,
};

let input = '';
for await (const chunk of process.stdin) input += chunk;
try {
  process.stdout.write(JSON.stringify(await CHECKS[process.argv[2]](JSON.parse(input))));
} catch {
  // why stays inside: an error may name paths and addresses
  process.stdout.write(JSON.stringify({ ok: false, findings: [{ name: 'check', value: 'could not be made' }] }));
}
