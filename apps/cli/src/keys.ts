import * as z from 'zod';

/** A signing key of the authorization server; its private half is nowhere to be seen. */
export const keyRow = z.object({
  kid: z.string(),
  alg: z.string(),
  state: z.enum(['next', 'active', 'retiring']),
  /** RFC 3339 */
  notBefore: z.string(),
  notAfter: z.string().nullable(),
});
type Key = z.output<typeof keyRow>;

export const keyColumns = [
  { head: 'kid', of: ({ kid }: Key) => kid },
  { head: 'alg', of: ({ alg }: Key) => alg },
  { head: 'state', of: ({ state }: Key) => state },
  { head: 'not before', of: ({ notBefore }: Key) => notBefore },
  { head: 'not after', of: ({ notAfter }: Key) => notAfter },
];
