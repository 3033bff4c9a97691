import { WrongUse } from './options.js';

/** What a person reads when the start fails: the reason, never a stack. */
export const sayWhy = (error: unknown): string =>
  `portcullis: ${error instanceof Error ? error.message : String(error)}`;

/** 2 for wrong use of the command line, 1 for everything else. */
export const exitCodeOf = (error: unknown): number => (error instanceof WrongUse ? 2 : 1);
