import { redact } from '@portcullis/validators/redact';
import { inputRequired, resourceResult, toolResult } from './tool-result.js';

const block = { type: 'text', text: 'x' };

describe('a whole result', () => {
  it.each([
    ['text', { content: [block] }],
    ['an image', { content: [{ type: 'image', data: 'AA==', mimeType: 'image/png' }] }],
    ['a sound', { content: [{ type: 'audio', data: 'AA==', mimeType: 'audio/wav' }] }],
    ['a resource', { content: [{ type: 'resource', resource: { uri: 'a:b', text: 'x' } }] }],
    ['a link', { content: [{ type: 'resource_link', uri: 'a:b', name: 'x' }] }],
    ['an error', { content: [block], isError: true }],
    ['nothing', { content: [] }],
  ])('may be %s, and is left as it is', (_what, result) => {
    expect(redact(toolResult, toolResult.parse(result))).toEqual(result);
  });

  it.each([
    ['no content', {}],
    ['a block of no kind we know', { content: [{ type: 'html', text: 'x' }] }],
    ['an image without its type', { content: [{ type: 'image', data: 'AA==' }] }],
    ['more blocks than anyone reads', { content: Array.from({ length: 1001 }, () => block) }],
    ['a result of another type', { resultType: 'task', content: [block] }],
  ])('has not %s', (_what, result) => {
    expect(toolResult.safeParse(result).success).toBe(false);
  });
});

describe('a result that asks for input', () => {
  it.each([
    ['asks', { resultType: 'input_required', inputRequests: { a: { method: 'roots/list', params: { b: [1] } } } }],
    ['only keeps', { resultType: 'input_required', requestState: 's' }],
  ])('%s, and is left as it is', (_what, result) => {
    expect(redact(toolResult, toolResult.parse(result))).toEqual(result);
  });

  it('needs something to ask, or something to keep', () => {
    expect(inputRequired.safeParse({ resultType: 'input_required' }).success).toBe(false);
    expect(toolResult.safeParse({ resultType: 'input_required' }).success).toBe(false);
  });
});

it('a resource is text or bytes, under its URI', () => {
  const contents = [
    { uri: 'a:b', mimeType: 'text/plain', text: 'x' },
    { uri: 'a:c', blob: 'AA==' },
  ];
  expect(redact(resourceResult, resourceResult.parse({ contents }))).toEqual({ contents });
  expect(resourceResult.safeParse({ contents: [{ uri: 'a:b' }] }).success).toBe(false);
});
