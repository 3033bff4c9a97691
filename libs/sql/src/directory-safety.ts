const WRITABLE_BY_OTHERS = 0o022;

/**
 * Why a directory is not safe to keep secrets in: who can plant a file there owns whoever reads it.
 * @param directory its owner and its mode, as stat gives them
 * @param ownUid    the user this process runs as; undefined where users have no number (Windows), and nothing is said
 * @returns the rest of a sentence that says what to do; undefined when it is safe
 */
export function notSafe(
  { uid, mode }: { readonly uid: number; readonly mode: number },
  ownUid: number | undefined,
): string | undefined {
  if (ownUid === undefined) return undefined;
  if (uid !== ownUid) return 'belongs to another user. Use one of your own.';
  if (mode & WRITABLE_BY_OTHERS) return 'can be written by others. Close it (chmod go-w), or use another.';
  return undefined;
}
