const DEEPEST = 8;
const MOST = 3;

/**
 * What an error says, and what lies at its bottom: drivers say "it failed four times", and why only in what they wrap.
 * @returns its message, and in brackets the innermost ones, each once, three at most
 */
export function reasonsOf(error: unknown): string {
  const found = new Set<string>();
  const look = (each: unknown, depth: number): void => {
    if (!(each instanceof Error) || found.size >= MOST) return;
    const wrapped: readonly unknown[] = [each.cause, ...(each instanceof AggregateError ? each.errors : [])];
    const inner = depth < DEEPEST ? wrapped.filter((one) => one instanceof Error) : [];
    if (inner.length === 0) found.add(each.message);
    for (const one of inner) look(one, depth + 1);
  };
  look(error, 0);
  const outer = error instanceof Error ? error.message : '';
  const inner = [...found].filter((message) => message !== outer).join('; ');
  return inner === '' ? outer : `${outer} (${inner})`;
}
