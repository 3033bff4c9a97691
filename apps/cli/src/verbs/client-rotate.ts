import * as z from 'zod';
import { expectShape, type Api } from '../api.js';
import { publicKeysIn } from '../clients.js';
import { acrossTenants, defineVerb, tenantInput, tenantOption } from '../verb.js';

const LONGEST = 30 * 24 * 3600;
const rotated = z.object({
  client_id: z.string(),
  client_secret: z.string(),
  /** RFC 3339; absent = the old secret is good no more */
  previous_secret_expires_at: z.string().optional(),
});

export const clientRotate = defineVerb({
  name: 'client rotate',
  says: 'gives a client another secret, shown once, here; or other keys',
  argument: { name: 'client', says: 'its client_id' },
  options: [
    {
      flags: '--overlap <seconds>',
      says: 'how long the old secret stays good (default 86400, a day; at most 30 days); 0 = no longer',
    },
    { flags: '--jwks <file>', says: 'its new public keys, for a client that proves itself by private_key_jwt' },
    tenantOption,
  ],
  input: z
    .object({
      client: z.string().min(1),
      overlap: z.coerce
        .number('takes a number of seconds')
        .int('takes a whole number of seconds')
        .min(0, 'takes 0 or more')
        .max(LONGEST, `takes at most ${LONGEST}, 30 days`)
        .optional(),
      jwks: z.string().optional(),
      ...tenantInput,
    })
    .refine(({ overlap, jwks }) => overlap === undefined || jwks === undefined, {
      path: ['overlap'],
      message: 'is for secrets; with --jwks give the old key beside the new one for as long as both are to be good',
    }),
  run: async ({ client, overlap, jwks, tenant }, ports) => {
    const keys = jwks === undefined ? undefined : publicKeysIn(await ports.fileText(jwks), jwks);
    const authAdmin: Api = await ports.admin('authAdmin', ['admin:clients', ...acrossTenants(tenant)]);
    const path = `/clients/${encodeURIComponent(client)}`;
    if (keys !== undefined) {
      await authAdmin.send('PATCH', path, { jwks: keys }, { tenant });
      return { json: { client_id: client, keys: keys.keys.length }, text: `${client} has its new keys.` };
    }
    const body = overlap === undefined ? {} : { overlap_seconds: overlap };
    const answer = expectShape(rotated, await authAdmin.send('POST', `${path}/secret`, body, { tenant }));
    ports.note('The secret is shown this once: keep it where the client finds it.');
    const until = answer.previous_secret_expires_at;
    return {
      json: answer,
      text: [
        `client_id      ${answer.client_id}`,
        `client_secret  ${answer.client_secret}`,
        until === undefined ? 'The old one is good no more.' : `The old one is good until ${until}.`,
      ].join('\n'),
    };
  },
});
