import { Refusal } from '@portcullis/contract/refusals';
import { readText } from '@portcullis/guard/mcp/body.http';
import { ApiProblem } from '@portcullis/service/problem';
import type { IncomingMessage } from 'node:http';
import { MAX_BODY } from './bounds.js';

/** As many bodies are held at a time as there are connections, which are bounded. */
const ROOM = { hold() {}, leave() {} };

/** RFC 8259 §11 and what others write all the same: UTF-8 is the one charset. */
const JSON_TYPE = /^application\/json\s*(?:;\s*charset="?utf-8"?\s*)?$/i;

/**
 * Reads a JSON object or array; undefined = there is no body.
 * @param withinMs how long it may take to arrive
 * @throws Refusal media_type_unsupported, body_too_large, json_malformed (also for what is not UTF-8); ApiProblem 408 request_timeout
 */
export function readJson(request: IncomingMessage, withinMs: number): unknown | Promise<unknown> {
  const { headers } = request;
  if ((headers['content-length'] ?? '0') === '0' && headers['transfer-encoding'] === undefined) return undefined;
  const type = headers['content-type'];
  const isJson = type === 'application/json' || (type !== undefined && JSON_TYPE.test(type));
  if (!isJson || (headers['content-encoding'] ?? 'identity') !== 'identity')
    throw new Refusal('media_type_unsupported');
  const text = readText(request, MAX_BODY, ROOM);
  return (request.complete ? text : inTime(text, withinMs)).then(parsed);
}

function parsed(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Refusal('json_malformed');
  }
  if (typeof value !== 'object' || value === null) throw new Refusal('json_malformed');
  return value;
}

function inTime(text: Promise<string>, withinMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const late = (): void => reject(new ApiProblem(408, 'request_timeout', 'The body did not arrive in time.'));
    const timer = setTimeout(late, withinMs);
    text.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
