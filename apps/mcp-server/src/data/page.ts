import type { Page } from './data.js';

/** Makes a page of `limit` rows out of up to `limit + 1`: the one too many says that there is more. */
export function pageOf<Row>(rows: readonly Row[], limit: number, idOf: (row: Row) => string): Page<Row> {
  const kept = rows.slice(0, limit);
  const last = kept.at(-1);
  return { rows: kept, next: rows.length > limit && last !== undefined ? idOf(last) : null };
}
