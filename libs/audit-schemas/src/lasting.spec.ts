import { authData } from './data.js';
import type { EventDraft } from './envelope.js';
import { isLasting } from './lasting.js';

const draft = (type: string, data: object = {}): EventDraft =>
  ({ type, tenant: 'default', at: 0, data }) as unknown as EventDraft;

test.each([
  ['portcullis.admin.v1', true],
  ['portcullis.standing.v1', true],
  ['portcullis.approval.v1', true],
  ['portcullis.call.v1', false],
])('what %s tells of lasts: %p', (type, lasts) => {
  expect(isLasting(draft(type))).toBe(lasts);
});

test('of what the authorization server does, consents and what takes them back last', () => {
  const { options } = authData.shape.action;
  expect(options.filter((action) => isLasting(draft('portcullis.auth.v1', { action })))).toEqual([
    'token.revoked',
    'grant.revoked',
    'grant.compromised',
    'consent.granted',
  ]);
});

test('what no kind is named for does not last by itself', () => {
  expect(isLasting(draft('portcullis.other.v1'))).toBe(false);
});
