import { randomBytes, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
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
      readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
        throw new WrongUse(`${path} cannot be read (${error.code}). Check the path.`);
      }),
    note,
    stopSignal: onStop,
  };
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
