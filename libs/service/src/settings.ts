import { Secret } from '@portcullis/contract/secret';
import * as z from 'zod';
import { hardenedProblems, embeddedProblems } from './settings-rules.js';
import { isSecret, notesOf } from './setting.js';

export type Mode = 'embedded' | 'hardened';
export type Env = Readonly<Record<string, string | undefined>>;
/** The text of a file that a variable `X_FILE` names. */
export type ReadFile = (path: string) => string;

/** What is wrong with one variable and what to change, in words that never show a value. */
export interface Problem {
  readonly variable: string;
  readonly says: string;
}

/** Thrown instead of starting. The message lists every problem, one per line. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';

  constructor(readonly problems: readonly Problem[]) {
    super(
      [
        `Cannot start: ${problems.length} ${problems.length === 1 ? 'setting is' : 'settings are'} wrong.`,
        ...problems.map(({ variable, says }) => `  ${variable}: ${says}`),
      ].join('\n'),
    );
  }
}

/** Only PORTCULLIS_MODE decides, and only one word of it loosens anything. */
export const modeOf = (env: Env): Mode => (env.PORTCULLIS_MODE === 'embedded' ? 'embedded' : 'hardened');

/** Old and other names that keep working. */
const ALIASES: Readonly<Record<string, string>> = { RATE_LIMITER_URL: 'LIMITS_URL' };

/**
 * Reads an app's settings from the environment. An empty variable counts as missing; a secret `X` may be given as
 * `X_FILE`; in embedded mode a missing variable takes its embedded value.
 * @throws SettingsError naming every problem at once
 */
export function readSettings<S extends z.ZodObject>(schema: S, env: Env, readFile?: ReadFile): z.output<S> {
  const mode = modeOf(env);
  const problems: Problem[] = [];
  const given: Record<string, string> = {};
  for (const [name, field] of Object.entries(schema.shape)) {
    const value =
      valueOf(name, isSecret(field), env, readFile, problems) ??
      (mode === 'embedded' ? notesOf(field).embedded : undefined);
    if (value !== undefined) given[name] = value;
    else if (mode === 'hardened' && notesOf(field).hardened === 'required') problems.push(missing(name, field));
  }
  const parsed = schema.safeParse({ ...given, PORTCULLIS_MODE: mode });
  for (const issue of parsed.error?.issues ?? []) {
    const variable = String(issue.path[0]);
    if (problems.some((problem) => problem.variable === variable)) continue;
    const field = schema.shape[variable];
    problems.push(
      given[variable] === undefined && field ? missing(variable, field) : { variable, says: `${issue.message}.` },
    );
  }
  const rules = mode === 'embedded' ? embeddedProblems : hardenedProblems;
  for (const problem of rules({ ...env, ...given })) {
    if (!problems.some(({ variable }) => variable === problem.variable)) problems.push(problem);
  }
  if (problems.length > 0) throw new SettingsError(problems);
  return parsed.data as z.output<S>;
}

function valueOf(
  name: string,
  secret: boolean,
  env: Env,
  readFile: ReadFile | undefined,
  problems: Problem[],
): string | undefined {
  const alias = ALIASES[name];
  const direct = env[name]?.trim() || (alias && env[alias]?.trim()) || undefined;
  const path = secret ? env[`${name}_FILE`]?.trim() || undefined : undefined;
  if (path === undefined) return direct;
  if (direct !== undefined) {
    problems.push({ variable: name, says: `is given twice. Keep either ${name} or ${name}_FILE.` });
    return undefined;
  }
  try {
    if (readFile === undefined) throw new Error('files are not read here');
    return readFile(path).trim() || undefined;
  } catch {
    problems.push({ variable: `${name}_FILE`, says: 'names a file that cannot be read.' });
    return undefined;
  }
}

const missing = (variable: string, field: z.core.$ZodType): Problem => {
  const says = z.globalRegistry.get(field)?.description;
  return { variable, says: says === undefined ? 'is missing.' : `is missing. Set it: ${says}.` };
};

/** One line of `portcullis config` and of docs/configuration.md. */
export interface SettingDescription {
  readonly name: string;
  readonly says: string;
  readonly secret: boolean;
  /** where a value must be given */
  readonly required: 'always' | 'hardened' | 'no';
  readonly embedded: string | undefined;
}

export const describeSettings = (schema: z.ZodObject): SettingDescription[] =>
  Object.entries(schema.shape).map(([name, field]) => ({
    name,
    says: z.globalRegistry.get(field)?.description ?? '',
    secret: isSecret(field),
    required: field.safeParse(undefined).success
      ? notesOf(field).hardened === 'required'
        ? 'hardened'
        : 'no'
      : notesOf(field).embedded === undefined
        ? 'always'
        : 'hardened',
    embedded: notesOf(field).embedded,
  }));

/** True for values that must not be printed. */
export const isSecretValue = (value: unknown): value is Secret => value instanceof Secret;
