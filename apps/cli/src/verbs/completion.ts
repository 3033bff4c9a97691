import * as z from 'zod';
import { completionScript, SHELLS } from '../completion.js';
import { defineVerb, globalOptions, type AnyVerb } from '../verb.js';

/** @param others the verbs to complete besides this one */
export const completionOf = (others: readonly AnyVerb[]) => {
  const completion = defineVerb({
    name: 'completion',
    says: 'a completion script for your shell',
    argument: { name: 'shell', says: SHELLS.join(', '), choices: SHELLS },
    options: [],
    input: z.object({ shell: z.enum(SHELLS, `takes one of ${SHELLS.join(', ')}`) }),
    run: async ({ shell }) => {
      const script = completionScript(shell, [...others, completion], globalOptions);
      return { json: { shell, script }, text: script };
    },
  });
  return completion;
};
