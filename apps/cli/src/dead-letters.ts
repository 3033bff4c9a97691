import { TOPICS } from '@portcullis/contract/topics';
import * as z from 'zod';
import { jsonOf } from './ask.js';
import { NotDone, WrongUse } from './faults.js';
import type { Column } from './table.js';
import { tenantInput, type VerbOption, type VerbPorts } from './verb.js';

const letter = z.object({
  id: z.string(),
  tenant: z.string(),
  topic: z.string(),
  partition: z.number().optional(),
  offset: z.string().optional(),
  key: z.string(),
  group: z.string(),
  reason: z.string(),
  bytes: z.number(),
  stays: z.string().optional(),
  payload: z.string().optional(),
});
export type Letter = z.output<typeof letter>;
export const lettersPage = z.object({ letters: z.array(letter), next: z.string().optional() });
export const replayed = z.object({ replayed: z.number(), stay: z.number() });

/** Which letters are meant. */
export const choiceOptions: readonly VerbOption[] = [
  { flags: '--id <id>', says: 'the one with this id, as the list shows it' },
  { flags: '--topic <topic>', says: 'those that were on this topic', choices: Object.keys(TOPICS) },
  { flags: '--group <service>', says: 'those that this service could not take' },
  { flags: '--tenant <tenant>', says: 'those of this tenant; _ means those of nobody' },
];
export const choiceInput = {
  id: z
    .string()
    .regex(/^[0-9a-f]{16}$/, 'takes an id as the list shows it: 16 of 0-9 and a-f')
    .optional(),
  topic: z.string().optional(),
  group: z.string().min(1, 'is empty').optional(),
  tenant: z.union([z.literal('_'), tenantInput.tenant.unwrap()], 'takes 1 to 32 of a-z, 0-9 and -, or _').optional(),
};

/**
 * Asks the program that reaches the brokers.
 * @throws WrongUse when they are not named; NotDone when they cannot be used
 */
export async function askDeadLetters<T>(
  shape: z.ZodType<T>,
  question: object,
  { deadLetters }: Pick<VerbPorts, 'deadLetters'>,
): Promise<T> {
  const { code, out, err } = await deadLetters(JSON.stringify(question));
  if (code === 2) throw new WrongUse(err);
  const answer = code === 0 ? shape.safeParse(jsonOf({ text: out })) : undefined;
  if (!answer?.success) throw new NotDone(err.split('\n')[0] || 'The brokers gave no answer that can be read.');
  return answer.data;
}

export const letterColumns: readonly Column<Letter>[] = [
  { head: 'id', of: ({ id }) => id },
  { head: 'tenant', of: ({ tenant }) => tenant },
  { head: 'topic', of: ({ topic }) => topic },
  { head: 'at', of: ({ partition, offset }) => (offset === undefined ? undefined : `${partition}/${offset}`) },
  { head: 'group', of: ({ group }) => group },
  { head: 'bytes', of: ({ bytes }) => bytes },
  { head: 'reason', of: ({ reason }) => reason, wrapAt: 60 },
  { head: 'replay', of: ({ stays }) => stays ?? 'can be', wrapAt: 30 },
];
export const payloadColumn: Column<Letter> = { head: 'payload', of: ({ payload }) => payload, wrapAt: 80 };
