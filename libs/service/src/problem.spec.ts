import { Refusal, REFUSALS, type RefusalCode } from '@portcullis/contract/refusals';
import * as z from 'zod';
import { ApiProblem, problemOf } from './problem.js';

const CONTEXT = { correlationId: 'c1', resourceMetadata: 'https://api.example/.well-known/oauth-protected-resource' };
const short = (thrown: unknown) => {
  const { status, body } = problemOf(thrown, CONTEXT);
  return [status, body.error];
};
const thrownWith = (facts: object) => Object.assign(new Error('hunter2'), facts);

test.each<[string, unknown, number, string]>([
  ['an error', new Error('hunter2'), 500, 'internal'],
  ['a string', 'hunter2', 500, 'internal'],
  ['nothing', undefined, 500, 'internal'],
  ['null', null, 500, 'internal'],
  ['an error with a status of ours', thrownWith({ status: 500 }), 500, 'internal'],
  ['an error with a status that is none', thrownWith({ status: 200 }), 500, 'internal'],
  ['an error with a status in words', thrownWith({ status: '404' }), 500, 'internal'],
  ['a status without a row', thrownWith({ status: 418 }), 418, 'request_invalid'],
  ['a status of Nest', thrownWith({ getStatus: () => 404 }), 404, 'not_found'],
  ['a target too long', thrownWith({ status: 414 }), 414, 'uri_too_long'],
  ['a path that does not decode', new URIError('hunter2'), 400, 'request_invalid'],
  ['an aborted body', thrownWith({ type: 'request.aborted', status: 400 }), 400, 'json_malformed'],
  ['too many fields', thrownWith({ type: 'parameters.too.many', status: 413 }), 413, 'body_too_large'],
  ['a body error without a row', thrownWith({ type: 'stream.encoding.set', status: 500 }), 500, 'internal'],
  ['a problem of an app', new ApiProblem(409, 'conflict', 'There is one.'), 409, 'conflict'],
  ['a schema', z.strictObject({}).safeParse({ hunter2: 1 }).error, 400, 'input_invalid'],
])('%s is answered by what it is', (_what, thrown, status, error) => {
  expect(short(thrown)).toEqual([status, error]);
  const { body, headers } = problemOf(thrown, CONTEXT);
  expect(body).toMatchObject({ correlation_id: 'c1', error_description: expect.stringMatching(/^[A-Z].*\.$/) });
  if (error !== 'input_invalid') expect(JSON.stringify([body, headers])).not.toContain('hunter2');
});

test('every refusal has a status of its own at a JSON API, and its words', () => {
  for (const code of Object.keys(REFUSALS) as RefusalCode[]) {
    const { status, body } = problemOf(new Refusal(code), CONTEXT);
    expect([code, status >= 400, body.error, body.error_description]).toEqual([code, true, code, REFUSALS[code].says]);
    if (REFUSALS[code].http !== 200) expect(status).toBe(REFUSALS[code].http);
  }
});

test('facts are told, the detail and the cause are not', () => {
  const refusal = new Refusal(
    'scope_insufficient',
    { scopes: ['security:read'], hint: 'Ask for it.' },
    { detail: 'hunter2', cause: new Error('hunter2') },
  );
  const { body, headers } = problemOf(refusal, CONTEXT);
  expect(body).toEqual({
    error: 'scope_insufficient',
    error_description: `${REFUSALS.scope_insufficient.says} Ask for it.`,
    correlation_id: 'c1',
    scopes: ['security:read'],
  });
  expect(headers['WWW-Authenticate']).toMatch(/scope="security:read", resource_metadata="https:/);
});

test.each([
  [0, '1'],
  [1, '1'],
  [1000, '1'],
  [1001, '2'],
])('%i ms to wait are %s whole seconds', (retryAfterMs, seconds) => {
  expect(problemOf(new Refusal('rate_limited', { retryAfterMs }), CONTEXT).headers['Retry-After']).toBe(seconds);
});

test('at most ten fields are named, each in few words', () => {
  const keys = Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`k${at}`, z.string()]));
  const wrong = z.strictObject(keys).safeParse({ ['x'.repeat(10_000)]: 1 }).error;
  const { issues } = problemOf(wrong, CONTEXT).body as unknown as { issues: string[] };
  expect(issues).toHaveLength(10);
  expect(Math.max(...issues.map((issue) => issue.length))).toBeLessThanOrEqual(200);
});
