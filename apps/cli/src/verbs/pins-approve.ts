import * as z from 'zod';
import { askPins, differing, pinColumns } from '../pins.js';
import { table } from '../table.js';
import { defineVerb } from '../verb.js';

export const pinsApprove = defineVerb({
  name: 'pins approve',
  says: 'writes down the tools as they are now; commit the file, so that a second person sees it',
  options: [{ flags: '--tool <name>', says: 'this tool only, not all that differ', repeated: true }],
  input: z.object({ tool: z.array(z.string().min(1).max(128)).default([]) }),
  run: async ({ tool }, ports) => {
    const before = differing(await askPins(['list'], ports));
    const after = await askPins(['approve', ...tool], ports);
    const left = new Set(differing(after).map(({ name }) => name));
    const approved = before.filter(({ name }) => !left.has(name));
    ports.note(`Written to ${after.file}. Servers take it at their next start.`);
    return {
      json: { file: after.file, approved: approved.map(({ name }) => name) },
      text: approved.length === 0 ? 'Every tool was as it was approved.' : table(pinColumns, approved),
    };
  },
});
