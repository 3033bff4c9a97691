import { watch, type FSWatcher } from 'node:fs';
import { constants, open, stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { MAX_RULES_BYTES, TOO_LARGE } from '@portcullis/limits/read-rules';
import type { FileContent } from './rules-offers.js';

/** What the file holds, as far as it may be as large. Never throws: what cannot be read is a problem in words. */
export async function readRulesFile(path: string): Promise<FileContent> {
  try {
    // something that is no file, a pipe say, must not be waited for
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      if (!(await file.stat()).isFile()) return { problem: 'is no file' };
      // it may grow while it is read
      const bytes = Buffer.alloc(MAX_RULES_BYTES + 1);
      let length = 0;
      while (length < bytes.length) {
        const { bytesRead } = await file.read(bytes, length, bytes.length - length, length);
        if (bytesRead === 0) break;
        length += bytesRead;
      }
      if (length > MAX_RULES_BYTES) return { problem: TOO_LARGE };
      return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, length)) };
    } finally {
      await file.close();
    }
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    return { problem: code === 'ERR_ENCODING_INVALID_ENCODED_DATA' ? 'is not UTF-8' : `cannot be read (${code})` };
  }
}

/** The file system says nothing of some changes: of those on other machines, and of mounts that are replaced as a whole. */
const LOOK_EVERY_MS = 1_000;
/** Who writes a file in place writes it in parts. */
const SETTLES_MS = 50;

/**
 * Hands over what the file holds, and again whenever it changed; one at a time. Resolves when that was done once.
 * @param looked is called about once a second, behind what changed
 */
export async function watchRulesFile(
  path: string,
  changed: (content: FileContent) => Promise<void>,
  looked: () => Promise<void>,
): Promise<{ stop(): Promise<void> }> {
  const name = basename(path);
  let last = '';
  let looking: Promise<void> | undefined;
  let [again, stopped] = [false, false];

  const look = async (): Promise<void> => {
    const now = await identityOf(path);
    if (now !== last) {
      last = now;
      await changed(await readRulesFile(path));
    }
    await looked();
  };
  const mayLook = (): void => {
    if (stopped) return;
    if (looking !== undefined) {
      again = true;
      return;
    }
    looking = look().finally(() => {
      looking = undefined;
      if (again) soon();
      again = false;
    });
  };
  let settling: NodeJS.Timeout | undefined;
  const soon = (): void => {
    settling ??= setTimeout(() => {
      settling = undefined;
      mayLook();
    }, SETTLES_MS);
  };
  const watcher = watchedFolder(dirname(resolve(path)), (file) => {
    // a mounted folder is replaced by turning a link in it
    if (file === null || file === name || file.startsWith('..')) soon();
  });
  const timer = setInterval(mayLook, LOOK_EVERY_MS);
  timer.unref();
  mayLook();
  await looking;
  return {
    async stop() {
      stopped = true;
      clearInterval(timer);
      clearTimeout(settling);
      watcher?.close();
      await looking;
    },
  };
}

/** Looking once a second is enough where the folder cannot be watched. */
function watchedFolder(folder: string, happened: (file: string | null) => void): FSWatcher | undefined {
  try {
    const watcher = watch(folder, { persistent: false }, (_event, file) => happened(file));
    watcher.on('error', () => watcher.close());
    return watcher;
  } catch {
    return undefined;
  }
}

/** What changes whenever the file does; the same for a file that is not there. */
const identityOf = (path: string): Promise<string> =>
  stat(path, { bigint: true }).then(
    ({ dev, ino, size, mtimeNs, ctimeNs }) => [dev, ino, size, mtimeNs, ctimeNs].join(' '),
    (error: NodeJS.ErrnoException) => `none: ${error.code}`,
  );
