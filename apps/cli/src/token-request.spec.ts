import { tokenAnswer, withAssertion, withSecret } from './token-request.js';

const reply = (status: number, body: unknown) => ({ status, header: () => undefined, text: JSON.stringify(body) });

test('a secret travels in the Authorization header, form-encoded, and never in the body', () => {
  const { headers, body } = withSecret({ id: 'a b', secret: 's:e+c%' }, 'http://127.0.0.1:1/mcp', ['x:y', 'z']);
  expect(atob(headers?.authorization?.slice('Basic '.length) ?? '')).toBe('a+b:s%3Ae%2Bc%25');
  expect(Object.fromEntries(new URLSearchParams(body))).toEqual({
    grant_type: 'client_credentials',
    resource: 'http://127.0.0.1:1/mcp',
    scope: 'x:y z',
  });
});

test('an assertion travels in the body, with the resource the token is for', () => {
  const { headers, body } = withAssertion('j.w.t', 'http://127.0.0.1:1/admin', ['admin:clients']);
  expect(headers).not.toHaveProperty('authorization');
  expect(new URLSearchParams(body).get('client_assertion')).toBe('j.w.t');
  expect(new URLSearchParams(body).get('resource')).toBe('http://127.0.0.1:1/admin');
});

test('a token endpoint says yes, no, or something that is neither', () => {
  expect(tokenAnswer(reply(200, { access_token: 't', expires_in: 900, scope: 'x' }))).toEqual({
    token: 't',
    expiresInSeconds: 900,
    scope: 'x',
  });
  expect(tokenAnswer(reply(400, { error: 'access_denied' }))).toMatchObject({
    token: undefined,
    http: 400,
    error: 'access_denied',
  });
  expect(tokenAnswer(reply(502, 'x'))).toMatchObject({ token: undefined, error: 'unreadable_answer' });
});
