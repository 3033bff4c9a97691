import * as z from 'zod';

/** Control characters (Cc) and halves of surrogate pairs (Cs); one pass over the text, no backtracking. */
const BROKEN = /[\p{Cc}\p{Cs}]/u;
const BROKEN_BUT_LINES = /(?![\n\t])[\p{Cc}\p{Cs}]/u;

/** True when a text is well-formed Unicode without control characters; `lines` lets line feeds and tabs through. */
export const isPlainText = (value: string, { lines = false }: { lines?: boolean } = {}): boolean =>
  !(lines ? BROKEN_BUT_LINES : BROKEN).test(value);

interface TextRules {
  /** UTF-16 code units, default 1 */
  readonly min?: number;
  readonly max: number;
  /** line feeds and tabs may occur, default false */
  readonly lines?: boolean;
}

/** A text that a person or a model wrote: bounded, well-formed, no NUL and no other control characters. */
export const text = ({ min = 1, max, lines = false }: TextRules) =>
  z
    .string()
    .min(min)
    .max(max)
    .refine((value) => isPlainText(value, { lines }), 'must be well-formed Unicode without control characters');

/** Nearly every text is, which is found faster than it is made so. */
const PRINTABLE = /^[ -~]*$/;

/**
 * What is left of a text that a stranger chose, made fit for a log line: ASCII from space to tilde, cut to `max`.
 * @returns undefined when nothing is left
 */
export function printable(value: unknown, max = 128): string | undefined {
  if (typeof value !== 'string' || value === '') return undefined;
  if (value.length <= max && PRINTABLE.test(value)) return value;
  return (
    value
      .slice(0, 4 * max)
      .replace(/[^ -~]/g, '')
      .slice(0, max) || undefined
  );
}
