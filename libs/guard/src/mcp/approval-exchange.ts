import type { BroughtApproval, PageToOpen } from '../approval.js';
import { wholeAnswer, type Answer } from './answer.js';
import { ENVELOPE, membersOf } from './envelope.js';
import type { Message } from './message.js';
import type { Era, ServerInfo } from './protocol.js';

/*
 * The words of MCP: what a request brings of an approval, and the answer that asks for one. What counts is for approval.ts
 * to say.
 */

/**
 * What a request says of an approval, as it came. What its client answered to the elicitation is not read: that a page was
 * opened, or a form filled in, is nobody's yes.
 */
export function broughtApproval(params: Message['params'], era: Era): BroughtApproval {
  const meta = membersOf(params['_meta']);
  const { elicitation } = era === 'modern' ? membersOf(meta[ENVELOPE.capabilities]) : {};
  return {
    named: meta['portcullis/approval'],
    state: era === 'modern' ? params['requestState'] : undefined,
    opensUrls: typeof membersOf(elicitation)['url'] === 'object',
  };
}

/** Asks the client to have a page opened and to repeat the call (MCP 2026-07-28, basic/patterns/mrtr). */
export const pageAnswer = (message: Message, { message: says, url, state }: PageToOpen, server: ServerInfo): Answer =>
  wholeAnswer(
    message,
    {
      resultType: 'input_required',
      inputRequests: { approval: { method: 'elicitation/create', params: { mode: 'url', message: says, url } } },
      requestState: state,
    },
    server,
  );
