import { EVENT_TYPES, type EventType } from '@portcullis/audit-schemas/envelope';
import { isPrincipalId, isTenant } from '@portcullis/contract/ids';
import { BEHAVIOUR_STATES } from '@portcullis/contract/standing';
import { text } from '@portcullis/validators/text';
import * as z from 'zod';

/** Words of the sort order, one for each of its columns, as text that callers hand back and do not look into. */
const cursor = (words: z.ZodType<[string, string]>) =>
  z
    .string()
    .max(500)
    .transform((value, context): readonly [string, string] => {
      const read = words.safeParse(decoded(value));
      if (read.success) return read.data;
      context.addIssue({ code: 'custom', message: 'is not one that this API gave', input: undefined });
      return z.NEVER;
    })
    .optional();

export const cursorOf = (words: readonly [string, string] | undefined): string | null =>
  words === undefined ? null : Buffer.from(JSON.stringify(words)).toString('base64url');

function decoded(value: string): unknown {
  try {
    return JSON.parse(Buffer.from(value, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}

const limit = z
  .string()
  .regex(/^[0-9]{1,3}$/, 'must be a number from 1 to 200')
  .transform(Number)
  .refine((number) => number >= 1 && number <= 200, 'must be a number from 1 to 200')
  .default(50);
const tenant = z.string().refine(isTenant, 'must be the name of a tenant').optional();
/** From the year 1 on, which is what SQL can hold, in UTC. */
const moment = z.iso
  .datetime({ offset: true, error: 'must be a time as in RFC 3339' })
  .transform((value) => new Date(value).toISOString())
  .refine((value) => /^\d{4}-/.test(value) && value >= '0001', 'must be a time from the year 1 on');

export const agentsQuery = z.strictObject({
  limit,
  cursor: cursor(z.tuple([z.string().refine(isTenant), z.string().refine(isPrincipalId)])),
  tenant,
  client_id: text({ max: 255 }).optional(),
});

export const oneTenantQuery = z.strictObject({ tenant });

export const eventsQuery = z.strictObject({
  limit,
  cursor: cursor(z.tuple([moment, z.uuid()])),
  tenant,
  /** a principal's id, or a client id */
  agent: text({ max: 255 }).optional(),
  type: z.enum(Object.keys(EVENT_TYPES) as [EventType, ...EventType[]]).optional(),
  tool: text({ max: 128 }).optional(),
  outcome: text({ max: 128 }).optional(),
  correlation_id: z.uuid().optional(),
  since: moment.optional(),
  until: moment.optional(),
});

export const transitionBody = z.strictObject({
  to: z.enum(BEHAVIOUR_STATES),
  reason: text({ max: 500, lines: true }).refine((value) => value.trim() !== '', 'must say why'),
});

/** What can stand in a path for an agent; anything else is an agent nobody has seen. */
export const isAgentName = (value: string): boolean => text({ max: 255 }).safeParse(value).success;
