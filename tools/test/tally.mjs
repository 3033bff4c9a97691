/**
 * @typedef {{ passed: number, failed: number, skipped: number }} Tally
 * @typedef {{ status: string, fullName: string }} Assertion
 * @typedef {{ numPassedTests: number, numFailedTests: number, numRuntimeErrorTestSuites: number,
 *   testResults: readonly { assertionResults: readonly Assertion[] }[] }} Results what we read of Jest's `--json`
 */

/**
 * What one run of Jest comes to. Nothing run at all, a file that fails outside of its tests, and an exit code that no test explains
 * count as failures.
 * @param {Results | undefined} results undefined when Jest wrote none
 * @param {number | null} exit its exit code; null = killed
 * @param {boolean} [mayBeEmpty] no test at all is no failure: another run of the same tests looks elsewhere
 * @returns {Tally & { problems: string[], skips: string[] }}
 */
export function tallyOf(results, exit, mayBeEmpty = false) {
  if (results === undefined)
    return { passed: 0, failed: 1, skipped: 0, problems: ['Jest wrote no results'], skips: [] };
  const { numPassedTests: passed, numFailedTests, numRuntimeErrorTestSuites: brokenFiles, testResults } = results;
  const skips = testResults.flatMap(({ assertionResults }) =>
    assertionResults.filter(({ status }) => status !== 'passed' && status !== 'failed').map(({ fullName }) => fullName),
  );
  const problems = [];
  let failed = numFailedTests + brokenFiles;
  if (brokenFiles > 0) problems.push(`${brokenFiles} test files failed outside of their tests`);
  if (passed + failed === 0 && !(mayBeEmpty && exit === 0)) problems.push('no test ran');
  else if (failed === 0 && exit !== 0) problems.push(`Jest ended with ${exit ?? 'a signal'} though no test failed`);
  if (problems.length > 0) failed = Math.max(failed, 1);
  return { passed, failed, skipped: skips.length, problems, skips };
}

/**
 * @param {readonly Tally[]} tallies
 * @param {boolean} all a skip is a failure (REQUIRE_ALL=1)
 */
export function closing(tallies, all) {
  const sum = (/** @type {keyof Tally} */ key) => tallies.reduce((total, tally) => total + tally[key], 0);
  const skipped = sum('skipped');
  const failed = sum('failed') + (all ? skipped : 0);
  return { line: `${sum('passed')} passed, ${failed} failed, ${all ? 0 : skipped} skipped`, ok: failed === 0 };
}
