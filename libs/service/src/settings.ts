import * as z from 'zod';
import { hardenedProblems, embeddedProblems } from './settings-rules.js';
import { descriptionOf, isSecret, notesOf } from './setting.js';

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
  const problems = new Map<string, Problem>();
  const add = (problem: Problem): void => {
    // the first word on a variable is the plainest; what follows is mostly its consequence
    if (!problems.has(problem.variable)) problems.set(problem.variable, problem);
  };
  const given: Record<string, string> = {};
  for (const [name, field] of Object.entries(schema.shape)) {
    const text = textOf(name, isSecret(field), env, readFile, add);
    const value = text ?? (mode === 'embedded' ? notesOf(field).embedded : undefined);
    if (value !== undefined) given[name] = value;
    else if (mode === 'hardened' && notesOf(field).hardened === 'required') add(missing(name, field));
  }
  const parsed = schema.safeParse({ ...given, PORTCULLIS_MODE: mode });
  for (const issue of parsed.error?.issues ?? []) {
    const variable = String(issue.path[0] ?? 'settings');
    const field = schema.shape[variable];
    add(given[variable] === undefined && field ? missing(variable, field) : { variable, says: `${issue.message}.` });
  }
  (mode === 'embedded' ? embeddedProblems : hardenedProblems)({ ...env, ...given }).forEach(add);
  for (const [name, field] of Object.entries(schema.shape)) {
    const missing = given[name] === undefined ? [] : (notesOf(field).needs ?? []).filter((other) => !(other in given));
    for (const other of missing) add({ variable: other, says: `is missing. ${name} needs it.` });
  }
  const secrets = Object.entries(given).filter(([name]) => isSecret(schema.shape[name] as z.core.$ZodType));
  for (const { variable, says } of sharedKeys(secrets)) {
    // said beside whatever else is wrong with it: every problem is named at once
    const other = problems.get(variable);
    problems.set(variable, { variable, says: other === undefined ? says : `${other.says} It also ${says}` });
  }
  if (problems.size === 0 && parsed.success) return parsed.data;
  throw new SettingsError(inOrderOf(Object.keys(schema.shape), [...problems.values()]));
}

/** In the order of the schema; what is no setting of this service comes last. */
const inOrderOf = (names: readonly string[], problems: readonly Problem[]): Problem[] => {
  const place = ({ variable }: Problem): number => (names.includes(variable) ? names.indexOf(variable) : names.length);
  return problems.toSorted((a, b) => place(a) - place(b));
};

/** One key, one use: two variables that hold the same key make each leak the other's. */
function sharedKeys(secrets: readonly (readonly [string, string])[]): Problem[] {
  const owners = new Map<string, string>();
  return secrets.flatMap(([variable, text]) => {
    const keys = text.split(',').map((key) => key.trim());
    const other = keys.map((key) => owners.get(key)).find((owner) => owner !== undefined);
    for (const key of keys) owners.set(key, variable);
    return other === undefined ? [] : [{ variable, says: `holds a key of ${other}. Give each its own.` }];
  });
}

function textOf(
  name: string,
  secret: boolean,
  env: Env,
  readFile: ReadFile | undefined,
  add: (problem: Problem) => void,
): string | undefined {
  const alias = ALIASES[name];
  const direct = env[name]?.trim() || (alias && env[alias]?.trim()) || undefined;
  const path = secret ? env[`${name}_FILE`]?.trim() || undefined : undefined;
  if (path === undefined) return direct;
  if (direct !== undefined) {
    add({ variable: name, says: `is given twice. Keep either ${name} or ${name}_FILE.` });
    return undefined;
  }
  try {
    const text = readFile?.(path).trim();
    if (text) return text;
  } catch {
    // said below; the error would only repeat the path
  }
  add({ variable: name, says: `cannot be read from the file that ${name}_FILE names, or that file is empty.` });
  return undefined;
}

const missing = (variable: string, field: z.core.$ZodType): Problem => {
  const says = descriptionOf(field);
  const names = isSecret(field) ? `it or ${variable}_FILE` : 'it';
  return { variable, says: says === undefined ? 'is missing.' : `is missing. Set ${names}: ${says}.` };
};

/** One line of `portcullis config`. */
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
    says: descriptionOf(field) ?? '',
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
