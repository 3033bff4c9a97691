/** What the file system says about a file or folder. */
export interface Ownership {
  readonly path: string;
  readonly uid: number;
  /** permission bits, as in `mode & 0o777` */
  readonly mode: number;
}

const WRITABLE_BY_OTHERS = 0o022;
const OPEN_TO_OTHERS = 0o077;

/**
 * Why somebody else could have put words into this file or folder, or, where `secret`, could have read it.
 * @param ownUid the user this process runs as
 * @returns one sentence saying what to change, or undefined when it is the user's own
 */
export function notOwn({ path, uid, mode }: Ownership, ownUid: number, secret = false): string | undefined {
  if (uid !== ownUid) return `${path} belongs to another user (uid ${uid}): run portcullis as that user.`;
  if (mode & WRITABLE_BY_OTHERS)
    return `${path} can be written by others: run 'chmod go-w ${path}', or keep the ready file in a folder of your own.`;
  if (secret && mode & OPEN_TO_OTHERS)
    return `${path} can be read by others: run 'chmod 600 ${path}' and restart the gate.`;
  return undefined;
}
