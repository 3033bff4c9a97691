import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { KEYS } from '@portcullis/rate-limiter/descriptors';
import { openApi } from '@portcullis/rate-limiter/openapi';
import { leaseRequest, limitQuestion, limitVerdict, settleRequest } from '@portcullis/contract/limits';

const page = readFileSync(join(import.meta.dirname, '../../docs/rate-limiter.md'), 'utf8');
/** Rows of the table whose head begins so, as cells. */
const rowsOf = (head: string): string[][] => {
  const [, body = ''] = page.split(`${head}\n`);
  const [table = ''] = body.split('\n\n');
  return table
    .split('\n')
    .slice(1)
    .map((row) => row.split('|').map((cell) => cell.trim()));
};
const words = (cell = ''): string[] => [...cell.matchAll(/`(\w+)`/g)].map(([, word]) => word!);

test('the page names every key of a descriptor, and none beside', () => {
  const named = rowsOf('| key | value |').flatMap(([, keys]) => words(keys));
  expect(named.toSorted()).toEqual(Object.keys(KEYS).toSorted());
});

test('the page names the errors that the API is described with, by their status', () => {
  const { responses } = openApi().paths['/v1/decide'].post;
  const described = Object.entries(responses).flatMap(([status, { description }]) =>
    status === '200' ? [] : (description.split(/[:.]/)[0] ?? '').split(', ').map((word) => `${status} ${word}`),
  );
  const rows = rowsOf('| status | `error` | what to do |');
  const named = rows.flatMap(([, statuses = '', errors]) => {
    const [only, ...more] = statuses.split(', ');
    return words(errors).map((word, i) => `${more.length > 0 ? [only, ...more][i] : only} ${word}`);
  });
  expect(described.length).toBeGreaterThan(15);
  expect(named.toSorted()).toEqual(described.toSorted());
});

test('the bodies on the page are questions and settlements, and the answers verdicts', () => {
  const sent = [...page.matchAll(/-d '(\{[^\n]*\})'/g)].map(([, text]) => JSON.parse(text!) as object);
  const schemas = [limitQuestion, settleRequest, leaseRequest];
  expect(sent).toHaveLength(3);
  sent.forEach((body, i) => expect(schemas[i]!.safeParse(body).success).toBe(true));
  const answers = [...page.matchAll(/^(\{"allowed".*\})$/gm)].map(
    ([, text]) => JSON.parse(text!) as { lease?: string },
  );
  expect(answers).toHaveLength(2);
  for (const { lease, ...answer } of answers) {
    const whole = lease === undefined ? answer : { ...answer, lease: 'A'.repeat(22) };
    expect(limitVerdict.safeParse(whole).success).toBe(true);
  }
});
