import * as z from 'zod';
import { apiAt, expectShape, pageOf } from './api.js';
import type { Ask, Question } from './ask.js';
import { ApiRefusal, NotDone } from './faults.js';

function fake(status: number, text: string) {
  const asked: [string, Question][] = [];
  const ask: Ask = async (url, question = {}) => {
    asked.push([url, question]);
    return { status, header: () => undefined, text };
  };
  return { api: apiAt('http://127.0.0.1:1/v1', async () => 'secret-token', ask), asked };
}

test('a question carries the token, and only the parameters that were given', async () => {
  const { api, asked } = fake(200, '{"a":1}');
  expect(await api.get('/agents', { limit: 5, cursor: undefined, tenant: 'a&b' })).toEqual({ a: 1 });
  expect(asked[0]?.[0]).toBe('http://127.0.0.1:1/v1/agents?limit=5&tenant=a%26b');
  expect(asked[0]?.[1].headers).toMatchObject({ authorization: 'Bearer secret-token' });
});

test('a change carries JSON, and an empty answer is undefined', async () => {
  const { api, asked } = fake(204, '');
  expect(await api.send('PUT', '/drills/x')).toBeUndefined();
  await api.send('POST', '/x', { to: 'Isolated' });
  expect(asked[0]?.[1]).toMatchObject({ method: 'PUT' });
  expect(asked[0]?.[1].body).toBeUndefined();
  expect(asked[1]?.[1]).toMatchObject({ method: 'POST', body: '{"to":"Isolated"}' });
});

test('a refusal keeps its status and tells what the gate said, with the correlation id, and never the token', async () => {
  const { api } = fake(409, '{"error":"conflict","error_description":"Not from here.","correlation_id":"0199"}');
  const refusal = await api.get('/x').catch((error: unknown) => error as ApiRefusal);
  expect(refusal).toBeInstanceOf(ApiRefusal);
  expect(refusal).toMatchObject({ status: 409, message: 'The gate refused: Not from here. (correlation id 0199)' });
  const invalid = '{"error":"input_invalid","error_description":"Not accepted.","issues":["jwks: wrong"]}';
  await expect(fake(400, invalid).api.get('/x')).rejects.toThrow('The gate refused: Not accepted. jwks: wrong');
  await expect(fake(502, '<html>').api.get('/x')).rejects.toThrow('The gate refused (HTTP 502).');
});

test('what needs more scopes is asked once more with them, and then never again', async () => {
  const needs = { error: 'scope_insufficient', error_description: 'No.', scopes: ['platform:admin', 'made:up'] };
  const tokens: (readonly string[])[] = [];
  const answering = (...replies: [status: number, body: object][]) =>
    apiAt(
      'http://127.0.0.1:1/v1',
      async (beside) => `token-${tokens.push(beside)}`,
      async () => {
        const [status, body] = replies.shift()!;
        return { status, header: () => undefined, text: JSON.stringify(body) };
      },
    );
  expect(await answering([403, needs], [200, { done: true }]).send('DELETE', '/users/x')).toEqual({ done: true });
  expect(tokens.splice(0)).toEqual([[], ['platform:admin']]);
  await expect(answering([403, needs], [403, needs]).get('/x')).rejects.toThrow('The gate refused: No.');
  expect(tokens.splice(0)).toHaveLength(2);
  await expect(answering([403, { error: 'forbidden', error_description: 'Not you.' }]).get('/x')).rejects.toThrow(
    'Not you.',
  );
  expect(tokens).toHaveLength(1);
});

test('a list is taken apart, and another shape is named in one sentence', () => {
  const item = z.object({ id: z.string() });
  expect(pageOf(item, { items: [{ id: 'a' }], next_cursor: 'n' })).toEqual({ items: [{ id: 'a' }], next: 'n' });
  expect(pageOf(item, { items: [], next_cursor: null }).next).toBeNull();
  expect(() => pageOf(item, { items: [{}] })).toThrow(NotDone);
  expect(() => expectShape(item, undefined)).toThrow(/shape this portcullis does not know/);
});
