import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { Refusal } from '@portcullis/contract/refusals';

/** What a tool of the suite asks its client for (MCP 2026-07-28, basic/patterns/mrtr). */
export const elicit = (message, properties) => ({
  method: 'elicitation/create',
  params: { mode: 'form', message, requestedSchema: { type: 'object', properties, required: Object.keys(properties) } },
});
export const sample = (words, maxTokens = 100) => ({
  method: 'sampling/createMessage',
  params: { messages: [{ role: 'user', content: { type: 'text', text: words } }], maxTokens },
});
export const listRoots = { method: 'roots/list', params: {} };

export const asks = (inputRequests, requestState) => ({
  resultType: 'input_required',
  inputRequests,
  ...(requestState !== undefined && { requestState }),
});

/** An accepted answer that has what was asked for; anything else is asked for again. */
export function accepted(responses, key, field) {
  const answer = responses?.[key];
  const value = answer?.action === 'accept' ? answer.content?.[field] : undefined;
  return value === undefined ? undefined : String(value);
}

const KEY = randomBytes(32);
const mac = (value) => createHmac('sha256', KEY).update(value).digest('base64url');

/** A state that only this process can have made. */
export function signed(state) {
  const value = Buffer.from(JSON.stringify(state)).toString('base64url');
  return `${value}.${mac(value)}`;
}

/** @throws Refusal params_invalid when it was changed */
export function verified(requestState) {
  const [value = '', tag = ''] = String(requestState).split('.');
  const [given, made] = [Buffer.from(tag), Buffer.from(mac(value))];
  if (given.length !== made.length || !timingSafeEqual(given, made)) {
    throw new Refusal('params_invalid', { issues: ['requestState: was changed on the way'] });
  }
  return JSON.parse(Buffer.from(value, 'base64url').toString());
}
