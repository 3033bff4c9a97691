export interface JsonBounds {
  /** nesting of arrays and objects; a bare value has depth 0 */
  readonly maxDepth: number;
  /** members of all objects together; and no more arrays and objects than that, since an empty one takes 20 times its text */
  readonly maxKeys: number;
  /** UTF-8 bytes */
  readonly maxBytes: number;
  /** UTF-16 units of one key, as it is written; no bound unless given */
  readonly maxKeyLength?: number;
  /** UTF-16 units of one text, as it is written; no bound unless given */
  readonly maxTextLength?: number;
}

export type JsonProblem =
  'too_large' | 'too_deep' | 'too_many_keys' | 'long_key' | 'long_text' | 'forbidden_key' | 'equal_keys' | 'malformed';

/** Why a text is not JSON that this house reads. The message never quotes the text. */
export class JsonRefused extends Error {
  override readonly name = 'JsonRefused';
  constructor(readonly problem: JsonProblem) {
    super(`JSON refused: ${problem}`);
  }
}

/**
 * Parses JSON text that a stranger sent. Size, depth and number of keys are bounded before anything is built, in one
 * pass; `__proto__` is refused as a key at any level, however it is spelled. So are
 * equal keys of one object: whoever looked at the text before us may have gone by the other one.
 * @throws JsonRefused
 * @see RFC 8259
 */
export function parseJson(text: string, bounds: JsonBounds): unknown {
  const written = scan(text, bounds);
  const value = parsed(text);
  // outside of strings, each member of an object has a colon, and JSON.parse keeps one member of equal ones
  if (membersOf(value) < written) throw new JsonRefused('equal_keys');
  // Only these two texts can spell the key: as it is, or with an escape in it.
  if ((text.includes('__proto__') || text.includes('\\u')) && hasProtoKey(value))
    throw new JsonRefused('forbidden_key');
  return value;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new JsonRefused('malformed');
  }
}

/** Walks the text once, knowing only strings, brackets and colons. What is malformed beyond that, JSON.parse finds. @returns the members */
function scan(text: string, bounds: JsonBounds): number {
  const { maxDepth, maxKeys, maxBytes, maxKeyLength = Infinity, maxTextLength = Infinity } = bounds;
  if (text.length > maxBytes) throw new JsonRefused('too_large');
  let bytes = 0;
  let depth = 0;
  let keys = 0;
  let opened = 0;
  let inString = false;
  /** where the last string began, and its length */
  let began = 0;
  let length = 0;
  let escaped = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    bytes += utf8Length(code);
    if (inString) {
      if (escaped) escaped = false;
      else if (code === BACKSLASH) escaped = true;
      else if (code === QUOTE) {
        inString = false;
        length = i - began - 1;
        if (length > maxTextLength) throw new JsonRefused('long_text');
      }
    } else if (code === QUOTE) {
      inString = true;
      began = i;
    } else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      if (++depth > maxDepth) throw new JsonRefused('too_deep');
      if (++opened > maxKeys) throw new JsonRefused('too_many_keys');
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) depth--;
    else if (code === COLON) {
      if (++keys > maxKeys) throw new JsonRefused('too_many_keys');
      if (length > maxKeyLength) throw new JsonRefused('long_key');
    }
  }
  if (bytes > maxBytes) throw new JsonRefused('too_large');
  return keys;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/** UTF-8 bytes of one UTF-16 code unit; the two halves of a pair make four together. */
function utf8Length(code: number): number {
  if (code < 0x80) return 1;
  return code < 0x800 || (code >= 0xd800 && code <= 0xdfff) ? 2 : 3;
}

/** The members of all objects in it; recursion is bounded by maxDepth, which {@link scan} has checked. */
function membersOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  let count = 0;
  if (Array.isArray(value)) {
    for (const each of value) if (typeof each === 'object') count += membersOf(each);
    return count;
  }
  for (const key in value) {
    count++;
    const member = (value as Record<string, unknown>)[key];
    if (typeof member === 'object') count += membersOf(member);
  }
  return count;
}

/** Recursion is bounded by maxDepth, which {@link scan} has checked. */
function hasProtoKey(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.some(hasProtoKey);
  return Object.hasOwn(value, '__proto__') || Object.values(value).some(hasProtoKey);
}
