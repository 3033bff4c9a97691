import { isPrincipalId } from '@portcullis/contract/ids';
import type { Scope } from '@portcullis/scopes/scopes';
import * as z from 'zod';
import { expectShape } from '../api.js';
import { WrongUse } from '../faults.js';
import { acrossTenants, defineVerb, tenantInput, tenantOption } from '../verb.js';

const revoked = z.object({ tenant: z.string(), what: z.string(), id: z.string() });
const word = z.string().min(1, 'is empty').optional();
const NAMED = ['file', 'grant', 'client', 'user', 'agent'] as const;

/** A token is a secret, so it comes from a file and is never an argument: those are in the list of processes. */
export const tokenRevoke = defineVerb({
  name: 'token revoke',
  says: 'revokes a token, or all tokens of a grant, an agent, a client or a person, at once',
  options: [
    { flags: '--file <file>', says: 'an access or refresh token in a file; - reads it from stdin' },
    { flags: '--grant <grant>', says: 'a grant (claim grant_id): all that came of one consent' },
    { flags: '--client <client>', says: 'all tokens of a client and its people, by client_id' },
    { flags: '--user <user>', says: 'all tokens of a person, by user id (usr_...)' },
    { flags: '--agent <agent>', says: 'all tokens of an agent: its id (agt_...), or the client_id of a machine' },
    { flags: '--reason <text>', says: 'why; kept in the audit' },
    tenantOption,
  ],
  input: z
    .object({
      file: word,
      grant: word,
      client: word,
      user: word,
      agent: word,
      reason: z.string().trim().min(1, 'is empty').max(500, 'takes at most 500 characters').optional(),
      ...tenantInput,
    })
    .refine((given) => NAMED.filter((name) => given[name] !== undefined).length === 1, {
      path: ['file'],
      message: 'or one of --grant, --client, --user and --agent is needed, and only one',
    }),
  run: async ({ file, grant, client, user, agent, reason, tenant }, ports) => {
    const more = { ...(reason !== undefined && { reason }), ...(tenant !== undefined && { tenant }) };
    const asked = async (): Promise<object> => {
      if (file !== undefined) return { what: 'token', token: tokenIn(await ports.fileText(file), file) };
      if (grant !== undefined) return { what: 'grant', id: grant };
      if (client !== undefined) return { what: 'client', id: client };
      if (user !== undefined) return { what: 'user', id: user };
      return { what: 'principal', ...(isPrincipalId(agent) ? { id: agent } : { client_id: agent }) };
    };
    const body = { ...(await asked()), ...more };
    const scopes: readonly Scope[] = ['admin:clients', 'admin:users', ...acrossTenants(tenant)];
    const authAdmin = await ports.admin('authAdmin', scopes);
    const { what, id } = expectShape(revoked, await authAdmin.send('POST', '/revocations', body));
    return { json: { what, id, revoked: true }, text: `${WORDS[what] ?? what} ${id} is revoked.` };
  },
});

const WORDS: Readonly<Record<string, string>> = {
  token: 'The access token',
  grant: 'The grant',
  principal: 'Whatever was given until now to the agent',
  client: 'Whatever was given until now to the client',
  user: 'Whatever was given until now to the person',
};

function tokenIn(text: string, file: string): string {
  const token = text.trim();
  if (!/^[\x21-\x7e]{1,8192}$/.test(token)) throw new WrongUse(`${file === '-' ? 'stdin' : file} holds no token.`);
  return token;
}
