import { Refusal } from '@portcullis/contract/refusals';
import { json, urlencoded, type RequestHandler } from 'express';

const JSON_LIMIT = '100kb';
const FORM_LIMIT = '10kb';
const JSON_TYPE = 'application/json';
const FORM_TYPE = 'application/x-www-form-urlencoded';

/**
 * Reads bodies into `request.body`: JSON objects and arrays up to 100 kB and, where asked for, HTML forms up to 10 kB.
 * Other types and compressed bodies are 415, since a body that nobody reads would pass as an empty one.
 */
export function readBodies({ forms }: { forms: boolean }): RequestHandler[] {
  const types = forms ? [JSON_TYPE, FORM_TYPE] : [JSON_TYPE];
  const known: RequestHandler = (request, _response, next) =>
    // `is` answers null where there is no body, yet takes `Content-Length: 0` for one
    request.is(types) === false && request.headers['content-length'] !== '0'
      ? next(new Refusal('media_type_unsupported'))
      : next();
  return [
    known,
    json({ limit: JSON_LIMIT, strict: true, inflate: false, type: JSON_TYPE }),
    ...(forms
      ? [urlencoded({ extended: false, limit: FORM_LIMIT, parameterLimit: 50, inflate: false, type: FORM_TYPE })]
      : []),
  ];
}
