import { spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { base32 } from '@portcullis/contract/ids';
import { adminApis } from './admin.js';
import { ask } from './ask.http.js';
import { discover } from './discovery.js';
import { Unreachable, WrongUse } from './faults.js';
import { findGate, readAdminKey } from './place.file.js';
import type { Whereabouts } from './place.js';
import type { VerbPorts } from './verb.js';

/** The real ports of one command line. Everything is looked up once and when it is first asked for. */
export function portsOf(where: Whereabouts, note: (line: string) => void): VerbPorts {
  const place = once(() => findGate(where, process.env));
  const published = once(async () => discover((await place()).url, ask).catch(noGate));
  const apis = once(async () => {
    const found = await place();
    const key = await readAdminKey(found);
    if (found.ready === undefined) throw new WrongUse('No gate found.');
    return adminApis(found.ready, await published(), key, { ask, now: Date.now, newId: randomUUID });
  });
  return {
    place,
    published,
    admin: async (name, scopes) => (await apis())(name, scopes),
    ask,
    now: Date.now,
    wait: async (ms) => void (await sleep(ms)),
    randomWord: () => base32(randomBytes(10)),
    fileText: (path) =>
      (path === '-' ? text(process.stdin) : readFile(path, 'utf8')).catch((error: NodeJS.ErrnoException) => {
        throw new WrongUse(`${path} cannot be read (${error.code}). Check the path.`);
      }),
    makeBootstrapLink: () => run('@portcullis/auth-server/bootstrap-main.wire'),
    toolPins: (words) => run('@portcullis/mcp-server/pins-main.wire', words),
    deadLetters: (question) => run('@portcullis/security-analytics/dead-letters-main.wire', [question]),
    note,
    stopSignal: onStop,
  };
}

/**
 * A program of its own, so that this tool holds no driver of a database. It runs as this one does, so that sources find
 * sources.
 */
async function run(module: string, words: readonly string[] = []) {
  const program = fileURLToPath(import.meta.resolve(module));
  const child = spawn(process.execPath, [...process.execArgv, program, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [out, err, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number | null>((resolve, reject) => void child.on('error', reject).on('close', resolve)),
  ]);
  return { code: code ?? 1, out: out.trim(), err: err.trim() };
}

/** Where nobody answers at all, there is no gate: a ready file can be left over from one that was killed. */
function noGate(error: unknown): never {
  if (error instanceof Unreachable) throw new WrongUse(`No gate found: ${error.message}`);
  throw error;
}

function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined;
  return () => (answer ??= ask());
}

/** A second Ctrl-C ends the process as ever. */
function onStop(): AbortSignal {
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort());
  return stopping.signal;
}
