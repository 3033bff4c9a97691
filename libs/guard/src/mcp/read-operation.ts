import { isJsonContentType } from '@modelcontextprotocol/server';
import { Refusal } from '@portcullis/contract/refusals';
import { JsonRefused, parseJson } from '@portcullis/validators/json';
import type { Operation } from '../call.js';
import type { DoorParts } from './door-parts.js';
import { answerId, messageOf } from './message.js';
import { operationOf } from './operation.js';
import { requireParamHeaders } from './param-headers.js';
import type { Passage } from './passage.js';
import { askedOf } from './record.js';

const MAX_BODY = 1024 * 1024;
/** A key is a name; the longest text is the largest attachment (700 KiB) as base64. UTF-16 units. */
const JSON_BOUNDS = { maxDepth: 32, maxKeys: 10_000, maxKeyLength: 256, maxTextLength: 960 * 1024 };
const MAX_ID = 256;

/**
 * Reads the body of a request, and what it asks for.
 * @throws Refusal media_type_unsupported, and those of the body, of the message and of the operation
 */
export function readOperation(passage: Passage, parts: DoorParts): Promise<Operation> {
  const { inbound, record } = passage;
  const { contentType = '', contentEncoding = 'identity' } = inbound;
  const isJson = contentType === 'application/json' || isJsonContentType(contentType);
  if (!isJson || contentEncoding !== 'identity') throw new Refusal('media_type_unsupported');
  return inbound.readBody(parts.maxBodyBytes ?? MAX_BODY, record.slot!).then((text) => asked(text, passage, parts));
}

function asked(
  text: string,
  passage: Passage,
  { tools, resources, methods, maxBodyBytes = MAX_BODY }: DoorParts,
): Operation {
  const { inbound, record } = passage;
  const body = (passage.body = parsed(text, maxBodyBytes));
  if (String(answerId(body)).length > MAX_ID) {
    passage.body = undefined;
    throw new Refusal('request_invalid', {}, { detail: 'a very long id' });
  }
  const message = (passage.message = messageOf(body, inbound.headers));
  record.asked = askedOf(message);
  const operation = operationOf(message, tools, resources, methods);
  if (operation.kind === 'tool' && message.era === 'modern') {
    requireParamHeaders(operation.tool, operation.args, inbound);
  }
  return operation;
}

function parsed(text: string, maxBytes: number): unknown {
  try {
    return parseJson(text, { ...JSON_BOUNDS, maxBytes });
  } catch (error) {
    if (!(error instanceof JsonRefused)) throw error;
    throw new Refusal(
      error.problem === 'too_large' ? 'body_too_large' : 'json_malformed',
      {},
      { detail: error.problem },
    );
  }
}
