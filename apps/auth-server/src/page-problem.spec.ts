import { NotFoundException, PayloadTooLargeException } from '@nestjs/common';
import { Refusal } from '@portcullis/contract/refusals';
import { errors } from 'oidc-provider';
import { PageProblem, problemPage } from './page-problem.js';

test.each([
  ['a problem of ours', new PageProblem(429, 'Wait.'), 429, /^Wait\.$/],
  ['a sign-in that is over', new errors.SessionNotFound('interaction session not found'), 400, /has expired/],
  ['a path that is none', new NotFoundException('Cannot GET /interaction'), 404, /no such page/],
  ['a form that is too large', new PayloadTooLargeException(), 413, /cannot be read/],
  ['a log that is full', new Refusal('overloaded'), 503, /cannot take/],
  ['a bug', new Error('select * from auth.users'), 500, /wrong on our side/],
  ['nothing', undefined, 500, /wrong on our side/],
])('%s', (_says, thrown, status, words) => {
  const { page, ...answer } = problemPage(thrown, 'c-1');
  expect(answer.status).toBe(status);
  expect(page.says).toMatch(words);
  expect(page.correlationId).toBe('c-1');
});
