import { describe, expect, test } from '@jest/globals';
import { closing, tallyOf } from './tally.mjs';

const run = (passed: number, failed: number, skipped: readonly string[] = [], brokenFiles = 0) => ({
  numPassedTests: passed,
  numFailedTests: failed,
  numRuntimeErrorTestSuites: brokenFiles,
  testResults: [
    {
      assertionResults: [
        { status: 'passed', fullName: 'a fact' },
        ...skipped.map((fullName) => ({ status: 'pending', fullName })),
      ],
    },
  ],
});

describe('what a run of Jest comes to', () => {
  test.each([
    ['passed and failed tests count one each', run(3, 2), 1, { passed: 3, failed: 2, skipped: 0 }],
    ['a skipped test is skipped', run(3, 0, ['later']), 0, { passed: 3, failed: 0, skipped: 1 }],
    ['no test at all is a failure', run(0, 0), 0, { passed: 0, failed: 1, skipped: 0 }],
    ['skipped tests alone are a failure', run(0, 0, ['later']), 0, { passed: 0, failed: 1, skipped: 1 }],
    ['a file that fails outside of its tests is a failure', run(3, 0, [], 1), 1, { passed: 3, failed: 1, skipped: 0 }],
    ['an exit code that no test explains is a failure', run(3, 0), 1, { passed: 3, failed: 1, skipped: 0 }],
    ['a run that was killed is a failure', run(3, 0), null, { passed: 3, failed: 1, skipped: 0 }],
    ['a run without results is a failure', undefined, 1, { passed: 0, failed: 1, skipped: 0 }],
  ] as const)('%s', (_fact, results, exit, expected) => {
    expect(tallyOf(results, exit)).toMatchObject(expected);
  });

  test('where it may be empty, no test at all is fine, but what broke is not', () => {
    const none = { passed: 0, failed: 0, skipped: 0, problems: [], skips: [] };
    expect(tallyOf(run(0, 0), 0, true)).toEqual(none);
    expect(tallyOf(run(0, 0), 1, true).failed).toBe(1);
    expect(tallyOf(run(0, 0, [], 1), 1, true).failed).toBe(1);
    expect(tallyOf(undefined, 0, true).failed).toBe(1);
  });
});

describe('the closing line', () => {
  const tallies = [
    { passed: 1, failed: 0, skipped: 0 },
    { passed: 5, failed: 0, skipped: 2 },
  ];
  test('it adds up the checks', () => {
    expect(closing(tallies, false)).toEqual({ line: '6 passed, 0 failed, 2 skipped', ok: true });
  });
  test('with REQUIRE_ALL a skip is a failure', () => {
    expect(closing(tallies, true)).toEqual({ line: '6 passed, 2 failed, 0 skipped', ok: false });
  });
  test('one failed check is enough', () => {
    expect(closing([...tallies, { passed: 0, failed: 1, skipped: 0 }], false).ok).toBe(false);
  });
});
