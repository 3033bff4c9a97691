import { Refusal, REFUSALS, type RefusalCode, type RefusalFacts } from '@portcullis/contract/refusals';
import { wwwAuthenticate } from './challenge.js';

const ALGS = 'algs="ES256 EdDSA Ed25519 RS256"';
const METADATA = 'https://mcp.example/.well-known/oauth-protected-resource/mcp';

test('a request without a token is told where to ask and what for, and no error', () => {
  const refusal = new Refusal('token_missing', { scopes: ['customer:read', 'ticket:read'] });
  expect(wwwAuthenticate(refusal, { resourceMetadata: METADATA })).toBe(
    `Bearer realm="portcullis", scope="customer:read ticket:read", resource_metadata="${METADATA}", DPoP realm="portcullis", ${ALGS}`,
  );
});

test('a missing scope names all scopes needed', () => {
  const refusal = new Refusal('scope_insufficient', { scopes: ['customer:list', 'data:export'] });
  expect(wwwAuthenticate(refusal, { resourceMetadata: METADATA })).toBe(
    `Bearer realm="portcullis", error="insufficient_scope", error_description="${REFUSALS.scope_insufficient.says}", scope="customer:list data:export", resource_metadata="${METADATA}"`,
  );
});

test('an old login names how fresh it must be (RFC 9470)', () => {
  const challenge = wwwAuthenticate(new Refusal('login_too_old', { scopes: ['customer:delete'], maxAge: 300 }));
  expect(challenge).toMatch(/error="insufficient_user_authentication".*scope="customer:delete", max_age="300"$/);
});

test('scopes of the options serve where the refusal names none', () => {
  expect(wwwAuthenticate(new Refusal('token_missing'), { scopes: ['customer:read'] })).toContain(
    'scope="customer:read"',
  );
  expect(wwwAuthenticate(new Refusal('token_missing', { scopes: ['a'] }), { scopes: ['b'] })).toContain('scope="a"');
});

test('what is wrong with a proof is said under the DPoP scheme (RFC 9449 §7.1, §9)', () => {
  const challenge = (facts: RefusalFacts) => wwwAuthenticate(new Refusal('dpop_invalid', facts));
  const says = `error_description="${REFUSALS.dpop_invalid.says}"`;
  expect(challenge({ dpopError: 'use_dpop_nonce' })).toBe(
    `DPoP realm="portcullis", error="use_dpop_nonce", ${says}, ${ALGS}`,
  );
  expect(challenge({ dpopError: 'invalid_dpop_proof', scopes: ['customer:read'] })).toBe(
    `DPoP realm="portcullis", error="invalid_dpop_proof", ${says}, scope="customer:read", ${ALGS}`,
  );
  expect(challenge({})).toBe(`DPoP realm="portcullis", error="invalid_token", ${says}, ${ALGS}`);
});

test('who came under the DPoP scheme is answered under it, and who came as Bearer with a bad token is told of both', () => {
  const says = `error_description="${REFUSALS.token_invalid.says}"`;
  expect(wwwAuthenticate(new Refusal('token_invalid'))).toBe(
    `Bearer realm="portcullis", error="invalid_token", ${says}, DPoP realm="portcullis", ${ALGS}`,
  );
  expect(wwwAuthenticate(new Refusal('token_invalid', { scheme: 'DPoP' }))).toBe(
    `DPoP realm="portcullis", error="invalid_token", ${says}, ${ALGS}`,
  );
  expect(wwwAuthenticate(new Refusal('scope_insufficient', { scopes: ['a'] }), { scheme: 'DPoP' })).toMatch(
    /^DPoP realm="portcullis", error="insufficient_scope", .*scope="a", algs="/,
  );
});

test('only rows with a challenge have one', () => {
  const codes = Object.keys(REFUSALS) as RefusalCode[];
  expect(codes.filter((code) => wwwAuthenticate(new Refusal(code)) !== undefined)).toEqual([
    'token_missing',
    'token_invalid',
    'dpop_invalid',
    'login_too_old',
    'scope_insufficient',
  ]);
});

test('nothing in a hint, a scope or a URL leaves its quotes', () => {
  const hostile = 'x", error="none\\\r\nSet-Cookie: a=b\u2028';
  const challenge = wwwAuthenticate(
    new Refusal('scope_insufficient', { hint: hostile, scopes: [hostile, 'customer:read'] }),
    {
      resourceMetadata: `https://mcp.example/${hostile}`,
    },
  )!;
  expect(challenge).toMatch(/^[\x20-\x7e]*$/);
  expect(challenge).not.toContain('\\');
  const params = [...challenge.slice('Bearer '.length).matchAll(/(\w+)="([^"]*)"(, |$)/g)];
  expect(params.map(([whole]) => whole).join('')).toBe(challenge.slice('Bearer '.length));
  expect(params.map(([, name]) => name)).toEqual(['realm', 'error', 'error_description', 'scope', 'resource_metadata']);
  expect(params[3]![2]).toBe('customer:read');
  new Headers({ 'WWW-Authenticate': challenge });
});
