import { SIGNING_ALGORITHMS } from '@portcullis/scopes/algorithms';
import * as z from 'zod';
import { pageOf } from '../api.js';
import { ApiRefusal, NotDone } from '../faults.js';
import { keyColumns, keyRow } from '../keys.js';
import { table } from '../table.js';
import { defineVerb } from '../verb.js';

const TOO_SOON = 409;
const NOW_OPTION = '--now';

export const keysRotate = defineVerb({
  name: 'keys rotate',
  says: 'lets the next key sign and announces another; tokens of the last one stay good',
  options: [
    { flags: '--alg <alg>', says: 'the keys of this algorithm only', choices: SIGNING_ALGORITHMS },
    {
      flags: NOW_OPTION,
      says: 'at once, when a key is in wrong hands: verifiers that cache the key set may refuse new tokens for 5 minutes',
    },
  ],
  input: z.object({ alg: z.enum(SIGNING_ALGORITHMS).optional(), now: z.literal(true).optional() }),
  run: async ({ alg, now }, ports) => {
    const authAdmin = await ports.admin('authAdmin', ['admin:keys']);
    const body = { ...(alg && { alg }), ...(now && { now }) };
    const { items } = pageOf(keyRow, await authAdmin.send('POST', '/keys/rotate', body).catch(hint(now)));
    if (now) ports.note('Verifiers that cache the key set may refuse new tokens for up to 5 minutes.');
    return { json: items, text: table(keyColumns, items) };
  },
});

const hint =
  (now: true | undefined) =>
  (error: unknown): never => {
    if (!(error instanceof ApiRefusal) || error.status !== TOO_SOON || now) throw error;
    throw new NotDone(`${error.message} If a key is in wrong hands, add ${NOW_OPTION}.`);
  };
