import * as z from 'zod';
import { pageOf } from '../api.js';
import { keyColumns, keyRow } from '../keys.js';
import { table } from '../table.js';
import { defineVerb } from '../verb.js';

export const keysList = defineVerb({
  name: 'keys list',
  says: 'the keys that access tokens are signed with',
  options: [],
  input: z.object({}),
  run: async (_, ports) => {
    const authAdmin = await ports.admin('authAdmin', ['admin:keys']);
    const { items } = pageOf(keyRow, await authAdmin.get('/keys'));
    return { json: items, text: table(keyColumns, items) };
  },
});
