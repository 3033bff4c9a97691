/** One column: its heading and what a row shows there. */
export interface Column<Row> {
  readonly head: string;
  readonly of: (row: Row) => unknown;
  /** characters after which a cell goes on in the next line, between words */
  readonly wrapAt?: number;
}

/**
 * Rows as aligned text, for people. Control characters of a cell are shown as `?`, so that a name chosen by somebody
 * else cannot drive the terminal.
 * @returns lines joined by '\n', without a final one; only the headings when there are no rows
 */
export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const heads = columns.map(({ head }) => [head.toUpperCase()]);
  const cells = rows.map((row) => columns.map(({ of, wrapAt }) => wrapped(shown(of(row)), wrapAt ?? Infinity)));
  const all = [heads, ...cells];
  const widths = columns.map((_, column) =>
    Math.max(...all.flatMap((row) => (row[column] ?? []).map((line) => line.length))),
  );
  return all.flatMap((row) => linesOf(row, widths)).join('\n');
}

/** One thing as `heading  value` lines. */
export function fields<Row>(columns: readonly Column<Row>[], row: Row): string {
  const width = Math.max(...columns.map(({ head }) => head.length));
  return columns.map(({ head, of }) => `${head.padEnd(width)}  ${shown(of(row))}`).join('\n');
}

function linesOf(row: readonly (readonly string[])[], widths: readonly number[]): string[] {
  const height = Math.max(...row.map(({ length }) => length));
  return Array.from({ length: height }, (_, line) =>
    row
      .map((cell, column) => (cell[line] ?? '').padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** Lines of at most `width` characters; only a word that is longer goes over. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

function shown(value: unknown): string {
  if (value === undefined || value === null) return '-';
  const text = Array.isArray(value) ? value.join(' ') : String(value);
  return printable(text) || '-';
}

/** Text with every control, bidirectional and line-breaking character replaced by `?`. */
const printable = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '?');
