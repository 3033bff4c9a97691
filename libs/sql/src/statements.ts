/** A piece of SQL text that ends a region, by what begins it. */
const UNTIL_NEWLINE = /\n|$/g;

/**
 * Splits SQL text into its statements, at each `;` that stands outside strings, quoted names, comments and dollar-quoted
 * bodies. Comments stay with the statement they precede; what holds nothing but comments is no statement.
 * @see PostgreSQL 18, 4.1 Lexical Structure. Not known: string constants with C-style escapes (E'\'')
 */
export function statements(text: string): string[] {
  const found: string[] = [];
  let start = 0;
  let at = 0;
  let hasCode = false;
  const finish = (end: number): void => {
    if (hasCode) found.push(text.slice(start, end).trim());
    start = end + 1;
    hasCode = false;
  };
  while (at < text.length) {
    const comment = endOfComment(text, at);
    if (comment !== undefined) {
      at = comment;
    } else if (text[at] === ';') {
      finish(at);
      at += 1;
    } else {
      hasCode ||= !/\s/.test(text[at] ?? '');
      at = endOfQuoted(text, at) ?? at + 1;
    }
  }
  finish(text.length);
  return found;
}

function endOfComment(text: string, at: number): number | undefined {
  if (text.startsWith('--', at)) return endAfter(text, UNTIL_NEWLINE, at);
  if (!text.startsWith('/*', at)) return undefined;
  let depth = 0;
  for (let i = at; i < text.length; i += 1) {
    const pair = text.slice(i, i + 2);
    if (pair !== '/*' && pair !== '*/') continue;
    depth += pair === '/*' ? 1 : -1;
    i += 1;
    if (depth === 0) return i + 1;
  }
  return text.length;
}

function endOfQuoted(text: string, at: number): number | undefined {
  const quote = text[at];
  if (quote === "'" || quote === '"') {
    // a doubled quote ends one region and begins the next, which comes to the same
    const end = text.indexOf(quote, at + 1);
    return end < 0 ? text.length : end + 1;
  }
  if (quote !== '$' || /[\w$]/.test(text[at - 1] ?? '')) return undefined;
  const tag = /^\$(?:[A-Za-z_]\w*)?\$/.exec(text.slice(at, at + 64))?.[0];
  if (tag === undefined) return undefined;
  const end = text.indexOf(tag, at + tag.length);
  return end < 0 ? text.length : end + tag.length;
}

function endAfter(text: string, pattern: RegExp, at: number): number {
  pattern.lastIndex = at;
  pattern.exec(text);
  return pattern.lastIndex;
}
