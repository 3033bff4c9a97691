import type { NamedCustomers } from '@portcullis/guard/tool';

/**
 * Whose the records of these ids are, each customer once.
 * @param found one row for each record that is there
 * @returns with undefined at the end where some are not
 */
export function whose(ids: readonly string[], found: readonly { readonly customer_id: string }[]): NamedCustomers {
  const customers = new Set<string | undefined>(found.map(({ customer_id }) => customer_id));
  if (found.length < new Set(ids).size) customers.add(undefined);
  return [...customers];
}
