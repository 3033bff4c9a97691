import type { Scope } from '@portcullis/scopes/scopes';
import * as z from 'zod';
import type { Api, ApiName } from './api.js';
import type { Ask } from './ask.js';
import type { Published } from './discovery.js';
import type { Place } from './place.js';

/** What a verb works with. A port is named by what it answers. */
export interface VerbPorts {
  /** the running gate; @throws WrongUse when there is none */
  place(): Promise<Place>;
  /** what that gate publishes about itself */
  published(): Promise<Published>;
  /** one of its APIs, as the local administrator; @throws WrongUse when that key may not be used here */
  admin(name: ApiName, scopes: readonly Scope[]): Promise<Api>;
  readonly ask: Ask;
  /** ms since epoch */
  now(): number;
  wait(ms: number): Promise<void>;
  /** 16 random characters of [a-z2-7] */
  randomWord(): string;
  /** text of a file that the user named, `-` for stdin; @throws WrongUse when it cannot be read */
  fileText(path: string): Promise<string>;
  /** runs the authorization server's own program that makes a link for the first administrator, in this environment */
  makeBootstrapLink(): Promise<{ readonly code: number; readonly out: string; readonly err: string }>;
  /** runs the protected server's own program that tells of its tools and approves them */
  toolPins(words: readonly string[]): Promise<{ readonly code: number; readonly out: string; readonly err: string }>;
  /** runs the program that reaches the brokers of this environment, with a question as JSON */
  deadLetters(question: string): Promise<{ readonly code: number; readonly out: string; readonly err: string }>;
  /** says something to the person, on stderr */
  note(line: string): void;
  /** from now on Ctrl-C does not end the process but aborts this signal, so that a verb can tidy up */
  stopSignal(): AbortSignal;
}

/** What a verb has to say: as JSON for programs (`--json`), as text for people. */
export interface Answer {
  readonly json: unknown;
  readonly text: string;
  /** false: a check failed, exit code 1 */
  readonly ok?: boolean;
}

export interface VerbOption {
  /** as commander reads it: `--limit <n>`, `--scope <scope...>` */
  readonly flags: string;
  readonly says: string;
  /** the values it takes, where they are few */
  readonly choices?: readonly string[];
  /** may be given more than once; the input then reads a list */
  readonly repeated?: true;
}

/** What every verb takes besides its own options. */
export const globalOptions: readonly VerbOption[] = [
  { flags: '--json', says: 'print JSON, and nothing else, on stdout' },
  { flags: '--url <url>', says: "base URL of the gate's MCP server" },
  { flags: '--ready-file <file>', says: 'the file in which a running gate says where it is' },
  { flags: '--data <dir>', says: 'the data folder of a running gate' },
];

/**
 * A verb, whole: its words, what it takes, what it does. `name` has one or two words: `demo`, `client add`.
 * `input` reads the argument under its name and each option under its long name in camelCase; a failed check names it.
 */
export interface Verb<I extends z.ZodType = z.ZodType> {
  readonly name: string;
  readonly says: string;
  readonly argument?: { readonly name: string; readonly says: string; readonly choices?: readonly string[] };
  readonly options: readonly VerbOption[];
  readonly input: I;
  run(input: z.output<I>, ports: VerbPorts): Promise<Answer>;
}
/** A verb of any input, as the table of verbs holds it. */
export type AnyVerb = Omit<Verb, 'run'> & { run(input: never, ports: VerbPorts): Promise<Answer> };

export const defineVerb = <I extends z.ZodType>(verb: Verb<I>): Verb<I> => Object.freeze(verb);

/** What every list takes. */
export const pageOptions: readonly VerbOption[] = [
  { flags: '--limit <n>', says: 'how many at most, 1 to 200 (default 50)' },
  { flags: '--cursor <cursor>', says: 'where to go on, as the last page said' },
];
export const pageInput = {
  limit: z.coerce
    .number('takes a number')
    .int('takes a whole number')
    .min(1, 'takes 1 to 200')
    .max(200, 'takes 1 to 200')
    .default(50),
  cursor: z.string().min(1).optional(),
};

/** Tells the person that a list goes on, on stderr so that stdout stays the list. */
export function noteMore(next: string | null, { note }: Pick<VerbPorts, 'note'>): void {
  if (next !== null) note(`There is more: add --cursor ${next}`);
}

export const tenantOption: VerbOption = {
  flags: '--tenant <tenant>',
  says: "another tenant than the administrator's own (audited)",
};
export const tenantInput = {
  tenant: z
    .string()
    .regex(/^[a-z0-9-]{1,32}$/, 'takes 1 to 32 of a-z, 0-9 and -')
    .optional(),
};
/** Another tenant can be named only with platform:admin, which every use of is audited. */
export const acrossTenants = (tenant: string | undefined): readonly Scope[] =>
  tenant === undefined ? [] : ['platform:admin'];
