import { constants } from 'node:fs';
import { open, realpath, stat } from 'node:fs/promises';
import { dirname, isAbsolute, resolve } from 'node:path';
import { WrongUse } from './faults.js';
import { notOwn } from './ownership.js';
import { readyPath, type Place, type Whereabouts } from './place.js';
import { readyFile, sameServer, urlBeyondLoopback, type Ready } from './ready.js';

const MAX_BYTES = 64 * 1024;

/** @throws WrongUse when there is no gate, or what was said about it is wrong */
export async function findGate(where: Whereabouts, env: NodeJS.ProcessEnv): Promise<Place> {
  const path = resolve(readyPath(where, env));
  const file = await readOwn(path);
  if (file === undefined) {
    if (where.url !== undefined) return { url: where.url, ready: undefined, path, doubt: undefined };
    throw new WrongUse(
      `No gate found: ${path} is not there. Start one with 'npm start', or name it with --ready-file, --data or --url.`,
    );
  }
  const ready = parseReady(file.text, path);
  const url = where.url ?? ready.mcpServer;
  if (!sameServer(url, ready.mcpServer)) return { url, ready: undefined, path, doubt: undefined };
  return { url, ready, path, doubt: file.doubt };
}

/**
 * The local administrator's private key (a JWK), if everything about it says that only this user could have put it
 * there and that it stays on this machine.
 * @throws WrongUse saying which condition is not met and what to change
 */
export async function readAdminKey(place: Place): Promise<Record<string, unknown>> {
  const { ready, path, url } = place;
  const refuse = (why: string) => new WrongUse(`The local administrator's key is not used: ${why}`);
  if (ready === undefined) {
    throw refuse(
      `it belongs to the gate of ${path}, and ${url} is not that gate. Leave out --url, or name its --ready-file.`,
    );
  }
  if (place.doubt !== undefined) throw refuse(place.doubt);
  const beyond = urlBeyondLoopback(ready);
  if (beyond !== undefined) throw refuse(`${path} names ${beyond}, which is not on this machine.`);
  if (ready.admin == null) throw refuse(`${path} names none; only a gate in embedded mode has one.`);
  const key = await readOwn(isAbsolute(ready.admin) ? ready.admin : resolve(dirname(path), ready.admin), true);
  if (key === undefined) throw refuse(`${ready.admin} is not there. Restart the gate.`);
  if (key.doubt !== undefined) throw refuse(key.doubt);
  try {
    return JSON.parse(key.text) as Record<string, unknown>;
  } catch {
    throw refuse(`${ready.admin} is not JSON. Restart the gate.`);
  }
}

function parseReady(text: string, path: string): Ready {
  try {
    return readyFile.parse(JSON.parse(text));
  } catch {
    throw new WrongUse(
      `${path} is not a ready file of Portcullis. Restart the gate, or name another with --ready-file.`,
    );
  }
}

/**
 * Reads a file and says whether it and its folder are the user's own; both from the same open file, so that it cannot
 * be exchanged in between.
 * @returns undefined when there is no such file
 */
async function readOwn(path: string, secret = false): Promise<{ text: string; doubt: string | undefined } | undefined> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw new WrongUse(
      `${path} cannot be read (${error.code}). Change its permissions, or run portcullis as its owner.`,
    );
  });
  if (handle === undefined) return undefined;
  try {
    const facts = await handle.stat();
    if (!facts.isFile() || facts.size > MAX_BYTES) throw new WrongUse(`${path} is not a file written by Portcullis.`);
    const folder = dirname(await realpath(path));
    const ownUid = process.getuid?.();
    const doubt =
      ownUid === undefined
        ? 'this system does not say who owns a file.'
        : (notOwn({ path, ...ownerOf(facts) }, ownUid, secret) ??
          notOwn({ path: folder, ...ownerOf(await stat(folder)) }, ownUid));
    return { text: await handle.readFile('utf8'), doubt };
  } finally {
    await handle.close();
  }
}

const ownerOf = ({ uid, mode }: { uid: number; mode: number }) => ({ uid, mode: mode & 0o777 });
