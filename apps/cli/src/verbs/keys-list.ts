import * as z from 'zod';
import { pageOf } from '../api.js';
import { table } from '../table.js';
import { defineVerb } from '../verb.js';

/** A signing key of the authorization server; its private half is nowhere to be seen. */
const keyRow = z.object({
  kid: z.string(),
  alg: z.string(),
  state: z.enum(['next', 'active', 'retiring']),
  /** RFC 3339 */
  notBefore: z.string(),
  notAfter: z.string().nullable(),
});
type Key = z.output<typeof keyRow>;

export const keysList = defineVerb({
  name: 'keys list',
  says: 'the keys that access tokens are signed with',
  options: [],
  input: z.object({}),
  run: async (_, ports) => {
    const authAdmin = await ports.admin('authAdmin', ['admin:keys']);
    const { items } = pageOf(keyRow, await authAdmin.get('/keys'));
    const columns = [
      { head: 'kid', of: ({ kid }: Key) => kid },
      { head: 'alg', of: ({ alg }: Key) => alg },
      { head: 'state', of: ({ state }: Key) => state },
      { head: 'not before', of: ({ notBefore }: Key) => notBefore },
      { head: 'not after', of: ({ notAfter }: Key) => notAfter },
    ];
    return { json: items, text: table(columns, items) };
  },
});
