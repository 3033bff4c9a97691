import * as z from 'zod';

export type Sensitive = 'ssn' | 'card';

/**
 * Labels on the fields of schemas. They live beside the schemas and not in their metadata, so that they do not show in
 * the JSON Schema that clients get. zod hands a label on to what is derived from a schema (`describe`, `max` …).
 */
export const SENSITIVE = z.registry<{ readonly kind: Sensitive }>();

const labelled = (kind: Sensitive, says: string) => z.string().max(32).describe(says).register(SENSITIVE, { kind });

/** A social security number. Every output shows its last four digits only. */
export const ssn = () => labelled('ssn', 'Social security number, masked but for the last four digits');
/** A payment card number. Every output shows its last four digits only. */
export const card = () => labelled('card', 'Card number, masked but for the last four digits');
