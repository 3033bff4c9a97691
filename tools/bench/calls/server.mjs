// A server under measurement: a process of its own, whose CPU time, with that of its children, is read from outside.
import { execFileSync, fork } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

/**
 * @param program from here, or a URL. It says that it serves by a message to its parent, or by a log line as services do
 * @param {{ issuer?: string, flags?: string[], profile?: string, env?: (port: number) => Record<string, string> }} options
 * @returns its port, `cpuMicros`, `rssMb` and `stop`
 */
export async function startServer(program, { issuer = '', flags = [], profile, env }) {
  const port = await freePort();
  const child = fork(fileURLToPath(new URL(program, import.meta.url)), {
    env: { ...process.env, NODE_ENV: 'production', BENCH_PORT: String(port), BENCH_ISSUER: issuer, ...env?.(port) },
    execArgv: [
      ...process.execArgv,
      ...flags,
      ...(profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`]),
    ],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let errors = '';
  await new Promise((resolve, reject) => {
    child.stderr.on('data', (chunk) => {
      errors = (errors + chunk).slice(-4000);
      if (errors.includes('"msg":"listening"')) resolve();
    });
    child.once('message', resolve);
    child.once('exit', (code) => reject(new Error(`${program} ended (${code})\n${errors}`)));
  });
  return {
    port,
    cpuMicros: () => treeOf(child.pid).reduce((sum, { cpuMicros }) => sum + cpuMicros, 0),
    rssMb: () => treeOf(child.pid).reduce((sum, { rssMb }) => sum + rssMb, 0),
    async stop() {
      child.removeAllListeners('exit');
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await gone;
    },
  };
}

export async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** proc(5): fields of stat after the name, which may hold anything */
const FIELD = { parent: 1, utime: 11, stime: 12, rssPages: 21 };
const TICKS_PER_SECOND = 100;
const PAGE_KB = 4;

/** A process and all below it. Where there is no /proc, `ps` is asked. */
function treeOf(root) {
  const all = processes();
  const tree = all.filter(({ pid }) => pid === root);
  for (const { pid } of tree) tree.push(...all.filter(({ parent }) => parent === pid));
  return tree;
}

function processes() {
  if (process.platform !== 'linux') return fromPs();
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const ticks = Number(fields[FIELD.utime]) + Number(fields[FIELD.stime]);
      return [
        {
          pid: Number(name),
          parent: Number(fields[FIELD.parent]),
          cpuMicros: (ticks * 1e6) / TICKS_PER_SECOND,
          rssMb: (Number(fields[FIELD.rssPages]) * PAGE_KB) / 1024,
        },
      ];
    } catch {
      return []; // it has ended meanwhile
    }
  });
}

function fromPs() {
  const lines = execFileSync('ps', ['-axo', 'pid=,ppid=,rss=,time=']).toString().trim().split('\n');
  return lines.map((line) => {
    const [pid, parent, rssKb, time] = line.trim().split(/\s+/);
    const seconds = time.split(':').reduce((sum, each) => sum * 60 + Number(each), 0);
    return { pid: Number(pid), parent: Number(parent), cpuMicros: seconds * 1e6, rssMb: Number(rssKb) / 1024 };
  });
}
