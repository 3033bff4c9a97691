import { randomBytes } from 'node:crypto';
import { statementSigner } from '@portcullis/guard/statement';
import { statementPublicKeysSetting } from './statement-keys.js';

const NAME = 'security-analytics';
const signer = () => statementSigner(NAME, [randomBytes(32)]);
const [one, other, third] = [signer(), signer(), signer()].map(({ jwks }) => jwks.keys[0]!);
const limits = statementSigner('rate-limiter', [randomBytes(32)]).jwks.keys[0]!;
const LIMITS = `rate-limiter=${limits.x}`;
const read = (text: string) => statementPublicKeysSetting().parse(text);

test('a key as the service logs it is the one that verifies', () => {
  expect(read(`${NAME}=${one!.x},${LIMITS}`)).toEqual({ [NAME]: { keys: [one] }, 'rate-limiter': { keys: [limits] } });
});

test('while it is rotated a service has two', () => {
  expect(read(`${NAME}=${one!.x}, ${NAME}=${other!.x}, ${LIMITS}`)[NAME]).toEqual({ keys: [one, other] });
});

test.each([
  ['nothing', '', 'must be SIGNER=KEY'],
  ['a key of nobody', `${one!.x}`, 'must be SIGNER=KEY'],
  ['a signer that is none', `mcp-server=${one!.x}`, 'SIGNER is one of'],
  ["auth-server's own", `auth-server=${one!.x}`, 'SIGNER is one of'],
  ['no key of one of them', `${NAME}=${one!.x}`, 'names no key of rate-limiter'],
  ['a key that is cut', `${NAME}=${one!.x!.slice(1)}`, '43 characters'],
  ['a third key', [one, other, third].map((key) => `${NAME}=${key!.x}`).join(','), 'more than two keys'],
])('%s is refused, and what to give is said', (_what, text, says) => {
  expect(() => read(text)).toThrow(says);
});
