import { SCOPES } from '@portcullis/scopes/scopes';
import fc from 'fast-check';
import { createHmac, randomUUID, sign, type KeyObject } from 'node:crypto';
import type { TokenWords } from './rig.fixture.js';

const ALL_SCOPES = Object.keys(SCOPES).join(' ');
const SOME = ['customer:read', 'customer:read ticket:read', ALL_SCOPES, ALL_SCOPES, ALL_SCOPES, ALL_SCOPES, ''];

/** Good tokens, of few callers, so that what is remembered of callers is soon all there is. */
export const goodToken: fc.Arbitrary<TokenWords> = fc
  .tuple(
    fc.constantFrom(...SOME),
    fc.nat(40),
    fc.constantFrom('default', 'default', 'default', 'tenant-b'),
    fc.constantFrom<Record<string, unknown>>(
      {},
      {},
      { task: 'task-1' },
      { sub: 'person', auth_time: Math.floor(Date.now() / 1000) },
    ),
  )
  .map(([scope, n, tenant, claims]) => ({ client: `agent-${n}`, tenant, scope, ceiling: ALL_SCOPES, claims }));

const CLAIMS =
  'iss aud sub client_id jti iat exp nbf scope ceiling tenant task task_customer_id cnf auth_time acr act'.split(' ');
const value: fc.Arbitrary<unknown> = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom<unknown>('', ' ', '__proto__', 'x'.repeat(300), 0, -1, 1e308, {}, [], null, { jkt: 'x' }, ['a', 'b']),
);
export interface Spoilt {
  readonly claims: Readonly<Record<string, unknown>>;
  readonly header: Readonly<Record<string, unknown>>;
  readonly signature: 'good' | 'none' | 'hmac' | 'garbage';
  /** the compact form cut, doubled or padded */
  readonly form: 'whole' | 'cut' | 'parts' | 'padded' | 'two';
}
const HEADER = ['alg', 'typ', 'kid', 'crit', 'jwk', 'jku', 'x5u', 'x5c', 'b64', 'zip', 'enc', 'cty'];
const headerValue = fc.oneof(
  value,
  fc.constantFrom<unknown>(
    'none',
    'HS256',
    'RS256',
    'EdDSA',
    'ES256',
    'ES384',
    'JWT',
    'at+jwt',
    'dpop+jwt',
    ['b64'],
    false,
  ),
);

/** Tokens with something wrong about them, or not: some of it changes nothing. */
export const spoiltToken: fc.Arbitrary<Spoilt> = fc.record({
  claims: fc.dictionary(fc.constantFrom(...CLAIMS), value, { maxKeys: 2 }),
  header: fc.dictionary(fc.constantFrom(...HEADER), headerValue, { maxKeys: 2 }),
  signature: fc.constantFrom('good', 'good', 'good', 'none', 'hmac', 'garbage'),
  form: fc.constantFrom('whole', 'whole', 'whole', 'cut', 'parts', 'padded', 'two'),
});

const part = (content: unknown): string => Buffer.from(JSON.stringify(content)).toString('base64url');

/** The token as text. @param good claims of a good token */
export function spell(spoilt: Spoilt, good: Record<string, unknown>, key: KeyObject): string {
  const head = { alg: 'ES256', typ: 'at+jwt', kid: 'test-key', ...spoilt.header };
  const text = `${part(head)}.${part({ ...good, jti: randomUUID(), ...spoilt.claims })}`;
  const bytes = Buffer.from(text);
  const signature = {
    good: () => sign('sha256', bytes, { key, dsaEncoding: 'ieee-p1363' }).toString('base64url'),
    none: () => '',
    hmac: () => createHmac('sha256', 'key').update(bytes).digest('base64url'),
    garbage: () => 'A'.repeat(86),
  }[spoilt.signature]();
  const whole = `${text}.${signature}`;
  switch (spoilt.form) {
    case 'cut':
      return whole.slice(0, -7);
    case 'parts':
      return `${whole}.e30`;
    case 'padded':
      return `${whole}==`;
    case 'two':
      return `${whole}, Bearer ${whole}`;
    case 'whole':
      return whole;
  }
}
