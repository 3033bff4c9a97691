import { describeSettings } from '@portcullis/service/settings';
import type * as z from 'zod';

/** A setting of one app, as `portcullis config` shows it. */
export interface Setting {
  readonly app: string;
  readonly name: string;
  /** what it is when nothing is given; null = nothing, or a value must be given */
  readonly default: string | null;
  /** the same in embedded mode */
  readonly embedded: string | null;
  readonly secret: boolean;
  /** where a value must be given */
  readonly required: 'always' | 'hardened' | 'no';
  readonly says: string;
}

export const settingsOf = (app: string, schema: z.ZodObject): Setting[] =>
  describeSettings(schema).map(({ name, says, secret, required, embedded }) => {
    const hardened = textOf(schema.shape[name]?.safeParse(undefined).data);
    return { app, name, default: hardened, embedded: embedded ?? hardened, secret, required, says };
  });

/** Every default is a word, a number, a flag, or an empty list or table. */
const textOf = (value: unknown): string | null =>
  value === undefined || (typeof value === 'object' && value !== null && Object.keys(value).length === 0)
    ? null
    : String(value);
