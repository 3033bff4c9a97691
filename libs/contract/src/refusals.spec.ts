import { factsInBody, Refusal, refusalOf, REFUSALS, type RefusalCode } from './refusals.js';

/** The pin: what clients and dashboards rely on. A row changes here and there together, or not at all. */
const PIN: readonly (readonly [RefusalCode, http: number, rpc: number | null, oauth: string | null])[] = [
  ['token_missing', 401, 40100, ''],
  ['token_invalid', 401, 40100, 'invalid_token'],
  ['dpop_invalid', 401, 40101, 'invalid_token'],
  ['login_too_old', 401, 40102, 'insufficient_user_authentication'],
  ['scope_insufficient', 403, 40300, 'insufficient_scope'],
  ['quarantined', 403, 40301, null],
  ['origin_forbidden', 403, 40302, null],
  ['rate_limited', 429, 42900, null],
  ['overloaded', 503, 50300, null],
  ['body_too_large', 413, 41300, null],
  ['batch_unsupported', 400, 40001, null],
  ['media_type_unsupported', 415, 41500, null],
  ['http_method_unsupported', 405, 40500, null],
  ['json_malformed', 400, -32700, null],
  ['request_invalid', 400, -32600, null],
  ['header_mismatch', 400, -32020, null],
  ['version_unsupported', 400, -32022, null],
  ['capability_missing', 400, -32021, null],
  ['method_unknown', 404, -32601, null],
  ['params_invalid', 400, -32602, null],
  ['tool_unknown', 200, -32602, null],
  ['resource_unknown', 200, -32602, null],
  ['internal', 500, -32603, null],
  ['input_invalid', 200, null, null],
  ['row_forbidden', 200, null, null],
  ['chain_forbidden', 200, null, null],
  ['approval_needed', 200, null, null],
  ['tool_drifted', 200, null, null],
  ['cancelled', 499, null, null],
  ['tool_failed', 200, null, null],
];

test('the table of refusals is as pinned', () => {
  expect(Object.entries(REFUSALS).map(([code, { http, rpc, oauth }]) => [code, http, rpc, oauth])).toEqual(PIN);
});

test('every refusal says a whole sentence that fits a challenge header', () => {
  for (const { says } of Object.values(REFUSALS)) expect(says).toMatch(/^[A-Z][\x20-\x21\x23-\x5b\x5d-\x7e]*\.$/);
});

test('a challenge goes with 401 and with a scope that is lacking, and with nothing else', () => {
  for (const { http, oauth } of Object.values(REFUSALS)) {
    expect(oauth !== null).toBe(http === 401 || oauth === 'insufficient_scope');
  }
});

test('a refusal says the words of its row; its detail and its cause are for us', () => {
  const refusal = new Refusal('quarantined', {}, { detail: 'state Isolated', cause: new Error('inner') });
  expect([refusal.message, refusal.detail, refusal.facts]).toEqual([REFUSALS.quarantined.says, 'state Isolated', {}]);
  expect(refusal.cause).toMatchObject({ message: 'inner' });
});

test('whatever else is thrown leaves as internal, with nothing of it to be seen', () => {
  const known = new Refusal('overloaded');
  expect(refusalOf(known)).toBe(known);
  for (const thrown of [new Error('hunter2'), 'hunter2', undefined, { code: 'token_missing' }]) {
    const refusal = refusalOf(thrown);
    expect([refusal.code, refusal.cause]).toEqual(['internal', thrown]);
    expect(JSON.stringify([refusal.message, refusal.facts, refusal.detail])).not.toContain('hunter2');
  }
});

test('what is said in words and headers is not repeated in the body', () => {
  const facts = { scopes: ['a'], hint: 'h', scheme: 'DPoP', dpopError: 'use_dpop_nonce', dpopNonce: 'n' } as const;
  expect(factsInBody(new Refusal('dpop_invalid', facts))).toEqual({ scopes: ['a'] });
});
