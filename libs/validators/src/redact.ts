import type * as z from 'zod';
import { maskCard, maskSsn } from './mask.js';
import { SENSITIVE, type Sensitive } from './sensitive.js';

/** Takes the labelled fields out of a value; undefined where a schema has none, so that such a value is not walked. */
type Redactor = ((value: unknown) => unknown) | undefined;

const MASKS: Readonly<Record<Sensitive, (value: string) => string>> = { ssn: maskSsn, card: maskCard };
const compiled = new WeakMap<object, { readonly redactor: Redactor }>();

/**
 * A copy of `value` with every field masked that `schema` labels as sensitive. Values are not searched: what is masked
 * follows from the schema alone, compiled once. A value behind a union is masked by the labels of all its options, so
 * that a doubt hides rather than shows.
 * @throws TypeError for a kind of schema that the walk does not know, at its first use
 */
export function redact(schema: z.ZodType, value: unknown): unknown {
  const redactor = redactorOf(schema);
  return redactor ? redactor(value) : value;
}

function redactorOf(schema: z.core.$ZodType): Redactor {
  const known = compiled.get(schema);
  if (known) return known.redactor;
  const redactor = compile(schema);
  compiled.set(schema, { redactor });
  return redactor;
}

function compile(schema: z.core.$ZodType): Redactor {
  const label = SENSITIVE.get(schema as z.ZodType)?.kind;
  if (label) return (value) => (typeof value === 'string' ? MASKS[label](value) : value == null ? value : MASKED);
  const def = (schema as z.core.$ZodTypes)._zod.def;
  switch (def.type) {
    case 'object':
      return inObject(def.shape, def.catchall && redactorOf(def.catchall));
    case 'array':
      return inArray(redactorOf(def.element));
    case 'tuple':
      return inTuple(def.items.map(redactorOf), def.rest ? redactorOf(def.rest) : undefined);
    case 'record':
      return inObject({}, redactorOf(def.valueType));
    case 'union':
      return oneAfterTheOther(def.options.map(redactorOf));
    case 'intersection':
      return oneAfterTheOther([redactorOf(def.left), redactorOf(def.right)]);
    case 'pipe':
      return redactorOf(def.out);
    case 'optional':
    case 'nullable':
    case 'default':
    case 'prefault':
    case 'nonoptional':
    case 'readonly':
    case 'catch':
      return redactorOf(def.innerType);
    case 'string':
    case 'never':
    case 'number':
    case 'boolean':
    case 'bigint':
    case 'null':
    case 'undefined':
    case 'literal':
    case 'enum':
    case 'template_literal':
    // whoever writes `any` says that there is nothing to mask inside; `unknown` says nothing, and throws
    case 'any':
      return undefined;
    default:
      throw new TypeError(`no way to redact a ${def.type}`);
  }
}

const MASKED = '****';

function inObject(shape: Readonly<Record<string, z.core.$ZodType>>, others: Redactor): Redactor {
  const fields = new Map(Object.entries(shape).map(([key, schema]) => [key, redactorOf(schema)]));
  if (!others && [...fields.values()].every((field) => field === undefined)) return undefined;
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    const entries = Object.entries(value).map(([key, inner]) => {
      const field = fields.has(key) ? fields.get(key) : others;
      return [key, field ? field(inner) : inner];
    });
    return Object.fromEntries(entries);
  };
}

const inArray = (element: Redactor): Redactor =>
  element && ((value) => (Array.isArray(value) ? value.map(element) : value));

function inTuple(items: readonly Redactor[], rest: Redactor): Redactor {
  if (!rest && items.every((item) => item === undefined)) return undefined;
  return (value) =>
    Array.isArray(value)
      ? value.map((inner, index) => {
          const item = index < items.length ? items[index] : rest;
          return item ? item(inner) : inner;
        })
      : value;
}

function oneAfterTheOther(redactors: readonly Redactor[]): Redactor {
  const some = redactors.filter((redactor) => redactor !== undefined);
  return some.length === 0 ? undefined : (value) => some.reduce((inner, redactor) => redactor(inner), value);
}
