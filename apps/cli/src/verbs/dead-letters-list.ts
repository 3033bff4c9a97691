import * as z from 'zod';
import {
  askDeadLetters,
  choiceInput,
  choiceOptions,
  letterColumns,
  lettersPage,
  payloadColumn,
} from '../dead-letters.js';
import { table } from '../table.js';
import { defineVerb, noteMore, pageInput, pageOptions } from '../verb.js';

export const deadLettersList = defineVerb({
  name: 'dead-letters list',
  says: 'messages that a service could not take, oldest first, and why; KAFKA_* of the environment say where the brokers are',
  options: [
    ...choiceOptions,
    { flags: '--payload', says: 'show the first 4096 characters of each message, which may tell of people' },
    ...pageOptions,
  ],
  input: z.object({ ...choiceInput, payload: z.boolean().default(false), ...pageInput }),
  run: async (given, ports) => {
    const { letters, next } = await askDeadLetters(lettersPage, { verb: 'list', ...given }, ports);
    noteMore(next ?? null, ports);
    const columns = given.payload ? [...letterColumns, payloadColumn] : letterColumns;
    return { json: letters, text: letters.length > 0 ? table(columns, letters) : 'No dead letter waits.' };
  },
});
