/** One column: its heading and what a row shows there. */
export interface Column<Row> {
  readonly head: string;
  readonly of: (row: Row) => unknown;
}

/**
 * Rows as aligned text, for people. Control characters of a cell are shown as `?`, so that a name chosen by somebody
 * else cannot drive the terminal.
 * @returns lines joined by '\n', without a final one; only the headings when there are no rows
 */
export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const cells = [
    columns.map(({ head }) => head.toUpperCase()),
    ...rows.map((row) => columns.map(({ of }) => shown(of(row)))),
  ];
  const widths = columns.map((_, column) => Math.max(...cells.map((line) => (line[column] ?? '').length)));
  return cells
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function shown(value: unknown): string {
  if (value === undefined || value === null) return '-';
  const text = Array.isArray(value) ? value.join(' ') : String(value);
  return printable(text) || '-';
}

/** Text with every control, bidirectional and line-breaking character replaced by `?`. */
export const printable = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '?');

/** One thing as `heading  value` lines. */
export function fields<Row>(columns: readonly Column<Row>[], row: Row): string {
  const width = Math.max(...columns.map(({ head }) => head.length));
  return columns.map(({ head, of }) => `${head.padEnd(width)}  ${shown(of(row))}`).join('\n');
}
