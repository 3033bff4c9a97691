import * as z from 'zod';
import { askDeadLetters, choiceInput, choiceOptions, replayed } from '../dead-letters.js';
import { defineVerb } from '../verb.js';

const CHOICES = ['id', 'topic', 'group', 'tenant'] as const;

export const deadLettersReplay = defineVerb({
  name: 'dead-letters replay',
  says: 'publishes dead letters again to where they were, for services that can take them by now; each of them once',
  options: [
    ...choiceOptions,
    { flags: '--all', says: 'all that wait' },
    { flags: '--dry-run', says: 'only count them' },
  ],
  input: z
    .object({ ...choiceInput, all: z.boolean().default(false), dryRun: z.boolean().default(false) })
    .refine(({ all, ...given }) => all !== CHOICES.some((name) => given[name] !== undefined), {
      path: ['all'],
      message: 'or some of --id, --topic, --group and --tenant are needed, and not both',
    }),
  run: async ({ all: _all, ...given }, ports) => {
    const answer = await askDeadLetters(replayed, { verb: 'replay', ...given }, ports);
    const staying = answer.stay === 0 ? '' : ` ${answer.stay} can never be: the list says why.`;
    return {
      json: { ...answer, dryRun: given.dryRun },
      text: `${answer.replayed} ${given.dryRun ? 'would be' : 'were'} published again.${staying}`,
    };
  },
});
