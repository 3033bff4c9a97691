import type { EventData, EventDraft, EventType } from './envelope.js';

/**
 * Of each kind of event: does what it tells of outlast the call? `always` does; of calls only whoever made them knows; of
 * auth those in {@link LASTING_AUTH}. Adding a kind is adding a row.
 */
const LASTING: Readonly<Record<EventType, 'always' | 'some'>> = {
  'portcullis.call.v1': 'some',
  'portcullis.auth.v1': 'some',
  'portcullis.admin.v1': 'always',
  'portcullis.standing.v1': 'always',
  'portcullis.approval.v1': 'always',
};

/** What somebody was given, or what was taken from them, for longer than a token lives. */
const LASTING_AUTH: ReadonlySet<EventData<'portcullis.auth.v1'>['action']> = new Set([
  'consent.granted',
  'token.revoked',
  'grant.revoked',
  'grant.compromised',
]);

/** A decision that holds from now on is never without its event, whatever becomes of the machine: true for these. */
export const isLasting = (draft: EventDraft): boolean =>
  LASTING[draft.type] === 'always' || (draft.type === 'portcullis.auth.v1' && LASTING_AUTH.has(draft.data.action));
