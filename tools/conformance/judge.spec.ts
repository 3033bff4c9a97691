import { describe, expect, test } from '@jest/globals';
import { judge } from './judge.mjs';
import { patternOf, verdictOn } from './match.mjs';
import { shapeProblems } from './requirements.mjs';

const GOOD = [
  { scenario: 'authorization-server-metadata-endpoint', id: 'metadata', status: 'SUCCESS' },
  { scenario: 'authorization-code-grant', id: 'code', status: 'SUCCESS' },
];
const WARNED = { ...GOOD[0]!, id: 'warned', status: 'WARNING', why: 'it lacks x' };

describe('the suite of the MCP project', () => {
  test('passes when every scenario ran and every check is a success', () => {
    expect(judge({ exit: 0, checks: GOOD }, {})).toEqual({ passed: 2, known: [], problems: [] });
  });

  test.each([
    ['a skipped check', { exit: 0, checks: [...GOOD, { ...GOOD[0]!, status: 'SKIPPED' }] }, /SKIPPED/],
    ['a failed check', { exit: 1, checks: [...GOOD, { ...GOOD[0]!, status: 'FAILURE' }] }, /FAILURE/],
    ['a warning', { exit: 0, checks: [...GOOD, WARNED] }, /warned: WARNING, it lacks x/],
    ['a scenario that did not run', { exit: 0, checks: GOOD.slice(1) }, /metadata-endpoint: no check ran/],
    ['no check at all', { exit: 0, checks: [] }, /no check ran/],
    ['an exit code that no check explains', { exit: 1, checks: GOOD }, /ended with 1/],
    ['a run that was killed', { exit: null, checks: GOOD }, /ended with a signal/],
  ])('fails by %s', (_what, run, problem) => {
    expect(judge(run, {}).problems.join()).toMatch(problem);
  });

  test('a warning that is known is said and fails nothing; once it passes, the entry is stale', () => {
    const known = { 'authorization-server-metadata-endpoint:warned': 'later' };
    expect(judge({ exit: 0, checks: [...GOOD, WARNED] }, known)).toMatchObject({
      problems: [],
      known: [expect.stringMatching(/later/)],
    });
    const stale = judge({ exit: 0, checks: [...GOOD, { ...WARNED, status: 'SUCCESS' }] }, known);
    expect(stale.problems.join()).toMatch(/listed as known/);
  });
});

describe('a test that a row names', () => {
  const ran = [
    { path: 'a.spec.ts', titles: 'a code › is good once', status: 'passed' },
    { path: 'a.spec.ts', titles: 'a code › with "x" is refused', status: 'passed' },
    { path: 'a.spec.ts', titles: 'a code › with y is refused', status: 'failed' },
    { path: 'a.spec.ts', titles: 'a code › later', status: 'pending' },
  ];
  test.each([
    ['that passed is good', 'a.spec.ts › a code › is good once', true, 1],
    ['of which a row failed is not', 'a.spec.ts › a code › with %s is refused', false, 2],
    ['that was renamed is not', 'a.spec.ts › a code › is good twice', false, 0],
    ['that was skipped is not', 'a.spec.ts › a code › later', false, 1],
    ['of another file is not', 'b.spec.ts › a code › is good once', false, 0],
  ])('%s', (_fact, name, ok, count) => {
    expect(verdictOn(name, ran)).toMatchObject({ ok, ran: count });
  });

  test.each([
    ['%s is %j at ${…}', 'x is {"a":1} at http://y', true],
    ['100 %% of $name', '100 % of it', true],
    ['a (b) [c] \\d', 'a (b) [c] \\d', true],
    ['a.c', 'abc', false],
  ])('a title of %s stands for %s: %s', (title, actual, fits) => {
    expect(patternOf(title).test(actual)).toBe(fits);
  });
});

describe('a row', () => {
  const row = {
    id: 'rfc1-2.3-x',
    section: '2.3',
    level: 'MUST' as const,
    binds: 'authorization server' as const,
    says: 'It holds.',
    tests: ['a.spec.ts › b'],
  };
  const problemsOf = (more: object, musts = 1) =>
    shapeProblems([{ id: 'rfc1', title: 'RFC 1', musts, counted: 'so', rows: [{ ...row, ...more }] }]).join();

  test('with everything is fine', () => expect(problemsOf({})).toBe(''));

  test.each<[string, object, RegExp]>([
    ['of another section', { section: '2.4' }, /does not begin/],
    ['of a level that is none', { level: 'OUGHT' }, /no level/],
    ['without an answer', { tests: undefined }, /needs one of/],
    ['with two answers', { notApplicable: 'so' }, /needs one of/],
    ['that is a MUST and open', { tests: undefined, open: 'later' }, /may not be left open/],
    ['that is no sentence', { says: 'holds' }, /no sentence/],
    ['that stands for nothing', { statements: 0 }, /no statement/],
  ])('%s is wrong', (_what, more, problem) => expect(problemsOf(more)).toMatch(problem));

  test('is missing when more MUSTs were counted than rows stand for, and one too many when fewer', () => {
    expect(problemsOf({}, 2)).toMatch(/2 MUSTs bind an authorization server, the rows stand for 1/);
    expect(problemsOf({}, 0)).toMatch(/0 MUSTs/);
  });
});
