import * as z from 'zod';
import { NotDone } from '../faults.js';
import { askPins, differing, saidChanges } from '../pins.js';
import { defineVerb } from '../verb.js';

export const pinsApprove = defineVerb({
  name: 'pins approve',
  says: 'writes down the tools as they are now; commit the file, so that a second person sees it',
  options: [{ flags: '--tool <name>', says: 'this tool only, not all that differ', repeated: true }],
  input: z.object({ tool: z.array(z.string().min(1).max(128)).default([]) }),
  run: async ({ tool }, ports) => {
    const after = await askPins(['approve', ...tool], ports);
    const { file, changes } = after;
    if (changes === undefined) throw new NotDone('The server does not say what was approved. Build it: npm run build.');
    const lines = saidChanges(changes);
    const left = differing(after).map(({ name }) => name);
    if (lines.length > 0) ports.note(`Written to ${file}. Servers take it at their next start.`);
    if (left.length > 0) ports.note(`Still not as approved: ${left.join(', ')}.`);
    return {
      json: { file, ...changes },
      text: lines.length > 0 ? lines.join('\n') : 'Nothing changed, and nothing was written.',
    };
  },
});
