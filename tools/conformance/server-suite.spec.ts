import { describe, expect, test } from '@jest/globals';
import { judgeServer, requiredScenarios, REVISIONS } from './server-suite.mjs';

const REQUIRED = ['tools-list', 'ping'];
const EXPECTED = { scenarios: 2, passed: 3, known: {} };
const GOOD = [
  { scenario: 'tools-list', id: 'a', status: 'SUCCESS' },
  { scenario: 'tools-list', id: 'b', status: 'SUCCESS' },
  { scenario: 'tools-list', id: 'c', status: 'INFO' },
  { scenario: 'ping', id: 'd', status: 'SUCCESS' },
];
const judged = (run: object, expected: object = EXPECTED) =>
  judgeServer('2026-07-28', { exit: 0, checks: GOOD, ...run } as never, expected as never, REQUIRED);

describe('the suite for servers', () => {
  test('passes when every required scenario passed, with as many checks as are expected', () => {
    expect(judged({})).toEqual({ passed: 3, known: [], problems: [], scenarios: 2, notScored: [] });
  });

  test.each<[string, object, RegExp]>([
    ['a scenario that did not run', { checks: GOOD.slice(0, 3) }, /ping: no check ran/],
    [
      'a scenario that only said something',
      { checks: [...GOOD.slice(0, 3), { ...GOOD[3], status: 'INFO' }] },
      /no check/,
    ],
    ['a check that failed', { checks: [...GOOD, { ...GOOD[3], status: 'FAILURE', why: 'x' }] }, /ping:d: FAILURE, x/],
    ['a warning', { checks: [...GOOD, { ...GOOD[3], status: 'WARNING' }] }, /ping:d: WARNING/],
    ['a skipped check', { checks: [...GOOD, { ...GOOD[3], status: 'SKIPPED' }] }, /ping:d: SKIPPED/],
    ['fewer checks than a server that lives passes', { checks: GOOD.slice(1) }, /2 checks passed, where 3 are/],
    ['more checks than were counted', { checks: [...GOOD, GOOD[0]] }, /4 checks passed, where 3 are/],
    ['a server that is not there', { checks: [] }, /tools-list: no check ran/],
    ['an exit code that no check explains', { exit: 1 }, /ended with 1/],
    ['a run that was killed', { exit: null }, /ended with a signal/],
  ])('fails by %s', (_what, run, problem) => {
    expect(judged(run).problems.join()).toMatch(problem);
  });

  test('fails when the list of the suite has other scenarios than were counted', () => {
    expect(judged({}, { ...EXPECTED, scenarios: 3 }).problems.join()).toMatch(/2 scenarios are required, where 3 are/);
  });

  test('says what is known not to pass, and fails once it does', () => {
    const known = { ...EXPECTED, passed: 2, known: { ping: { ends: 'WARNING', why: 'it cannot' } } };
    const ending = (status: string) => [...GOOD.slice(0, 3), { ...GOOD[3], status }];
    expect(judged({ checks: ending('WARNING') }, known)).toMatchObject({
      problems: [],
      known: ['2026-07-28 ping: it cannot'],
      scenarios: 1,
    });
    expect(judged({}, { ...known, passed: 3 }).problems.join()).toMatch(/ping: passes, but is listed as known/);
    for (const status of ['FAILURE', 'SKIPPED'])
      expect(judged({ checks: ending(status) }, known).problems).toEqual([`2026-07-28 ping:d: ${status}`]);
  });

  test('tells of scenarios that are not required, and scores none of them', () => {
    const more = [...GOOD, { scenario: 'tasks', id: 'x', status: 'FAILURE' }];
    expect(judged({ checks: more })).toMatchObject({ problems: [], passed: 3, notScored: ['tasks failed'] });
  });

  test('of what is required these do not pass, each with its reason, and no other', () => {
    const ends = ({ known }: (typeof REVISIONS)[string]) =>
      Object.entries(known).map(([name, how]) => [name, how.ends]);
    expect(Object.entries(REVISIONS).map(([revision, of]) => [revision, Object.fromEntries(ends(of))])).toEqual([
      ['2026-07-28', {}],
      [
        '2025-11-25',
        {
          'tools-call-sampling': 'FAILURE',
          'tools-call-elicitation': 'FAILURE',
          'elicitation-sep1034-defaults': 'FAILURE',
          'elicitation-sep1330-enums': 'FAILURE',
          'server-sse-multiple-streams': 'WARNING',
        },
      ],
    ]);
    for (const { known } of Object.values(REVISIONS))
      for (const { why } of Object.values(known)) expect(why).toMatch(/\w+ \w+/);
  });

  test.each(Object.entries(REVISIONS))(
    'of %s requires as many scenarios as are counted',
    (revision, { scenarios, known }) => {
      const required = requiredScenarios(revision);
      expect(required).toHaveLength(scenarios);
      expect(required).toEqual(expect.arrayContaining(Object.keys(known)));
    },
  );
});
