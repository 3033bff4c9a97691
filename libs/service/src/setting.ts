import { Secret } from '@portcullis/contract/secret';
import * as z from 'zod';
import { parseRange, type Range } from '@portcullis/guard/addresses';
import { keyProblem } from './key-text.js';
import { parseAllowedHost, type AllowedHost } from './outside-url.js';

/** What is known of a setting besides its type and description. */
interface Notes {
  readonly secret?: boolean;
  /** the value it takes in embedded mode when none is given */
  readonly embedded?: string;
  /** optional in its type, yet hardened mode refuses to start without it */
  readonly hardened?: 'required';
  /** settings without which this one is of no use */
  readonly needs?: readonly string[];
}
const notes = z.registry<Notes>();

/** The field and what it wraps (`.optional()`, `.default()`, a pipe's input), outermost first. */
function layersOf(field: z.core.$ZodType): z.core.$ZodType[] {
  const { innerType, in: input } = field._zod.def as { innerType?: z.core.$ZodType; in?: z.core.$ZodType };
  const inner = innerType ?? input;
  return inner === undefined ? [field] : [field, ...layersOf(inner)];
}

export const notesOf = (field: z.core.$ZodType): Notes =>
  Object.assign(
    {},
    ...layersOf(field)
      .reverse()
      .map((layer) => notes.get(layer)),
  );
export const isSecret = (field: z.core.$ZodType): boolean => notesOf(field).secret === true;
export const descriptionOf = (field: z.core.$ZodType): string | undefined =>
  layersOf(field)
    .map((layer) => z.globalRegistry.get(layer)?.description)
    .find((description) => description !== undefined);

const note = <T extends z.ZodType>(field: T, more: Notes): T => {
  notes.add(field as z.ZodType, more);
  return field;
};

/** Embedded mode has a value for it; hardened mode wants one. */
export const embeddedDefault = <T extends z.ZodType>(field: T, embedded: string): T =>
  note(field.clone() as T, { embedded });

/** Hardened mode wants it; embedded mode does without. */
export const whenHardened = <T extends z.ZodType>(field: T): z.ZodOptional<T> =>
  note(z.optional(field), { hardened: 'required' });

/** Where it is given, these have to be given too. */
export const needing = <T extends z.ZodType>(field: T, ...needs: readonly string[]): T =>
  note(field.clone() as T, { needs });

/** A value that does not print itself. */
export const secretSetting = () =>
  note(
    z
      .string()
      .min(1)
      .transform((text) => new Secret(text)),
    { secret: true },
  );

/** A key in use, and before it the one that is being retired; the first signs and seals, all verify and open. */
export type Keys = readonly [Secret, ...Secret[]];

/** One or two keys of 32 random bytes as base64url, `NEW` or `NEW,OLD`. */
export const keySetting = () =>
  note(
    z.string().transform((text, context): Keys => {
      const keys = text.split(',').map((key) => key.trim());
      const problem =
        keys.length > 2
          ? 'holds more than two keys; keep the new one and the old one'
          : keys.map(keyProblem).find(Boolean);
      if (problem !== undefined) context.addIssue({ code: 'custom', message: problem, input: undefined });
      return keys.map((key) => new Secret(key)) as unknown as Keys;
    }),
    { secret: true },
  );

export const urlSetting = () =>
  z
    .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
    .refine((text) => !/[?#]|\/\/[^/]*@/.test(text), 'must have no query, fragment or user name')
    .transform((text) => text.replace(/\/+$/, ''));

export const portSetting = () =>
  z.coerce.number('must be a port').int('must be a port').min(0, 'must be a port').max(65_535, 'must be a port');

/** A whole number from `min` to `max`. */
export const wholeSetting = (min: number, max: number) => {
  const says = `must be a whole number from ${min} to ${max}`;
  return z.coerce.number(says).int(says).min(min, says).max(max, says);
};

export const flagSetting = () =>
  z.stringbool({ truthy: ['true', '1', 'yes'], falsy: ['false', '0', 'no'], error: 'must be true or false' });

/** The path of a file, which need not be given. */
export const fileSetting = () => z.string().min(1).optional();

/** Comma-separated; blanks are dropped. */
export const listSetting = () =>
  z
    .string()
    .default('')
    .transform((text): readonly string[] =>
      text
        .split(',')
        .map((word) => word.trim())
        .filter((word) => word !== ''),
    );

/** Addresses and CIDR ranges, comma-separated. */
export const rangesSetting = () =>
  listSetting().transform((texts, context): readonly Range[] => {
    try {
      return texts.map(parseRange);
    } catch {
      context.addIssue({ code: 'custom', message: 'must be IP addresses or CIDR ranges', input: undefined });
      return z.NEVER;
    }
  });

/** Hosts that may be reached though a stranger names them, comma-separated; see outside-url.ts. */
export const allowedHostsSetting = () =>
  listSetting().transform((texts, context): readonly AllowedHost[] => {
    try {
      return texts.map(parseAllowedHost);
    } catch {
      context.addIssue({
        code: 'custom',
        message: 'must be names of hosts, each with *. before or :port behind if wanted',
        input: undefined,
      });
      return z.NEVER;
    }
  });
