import * as z from 'zod';
import { askPins, pinColumns } from '../pins.js';
import { table } from '../table.js';
import { defineVerb } from '../verb.js';

export const pinsList = defineVerb({
  name: 'pins list',
  says: "the tools of the protected server and the SHA-256 of each one's definition, now and as approved",
  options: [],
  input: z.object({}),
  run: async (_, ports) => {
    const answer = await askPins(['list'], ports);
    return { json: answer, text: table(pinColumns, answer.tools) };
  },
});
