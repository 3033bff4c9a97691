import * as z from 'zod';
import { askPins, differing, pinColumns } from '../pins.js';
import { table } from '../table.js';
import { defineVerb } from '../verb.js';

export const pinsDiff = defineVerb({
  name: 'pins diff',
  says: 'the tools that are not as they were approved; exit code 1 when there are any',
  options: [],
  input: z.object({}),
  run: async (_, ports) => {
    const differ = differing(await askPins(['list'], ports));
    return {
      json: differ,
      text: differ.length === 0 ? 'Every tool is as it was approved.' : table(pinColumns, differ),
      ok: differ.length === 0,
    };
  },
});
