/**
 * @typedef {{ scenario: string, id: string, status: string, why?: string }} Check one check of the MCP suite
 * @typedef {{ passed: number, known: string[], problems: string[] }} Judgement
 */

/**
 * What of the MCP suite does not pass yet, and why. An entry that passes is stale and fails the run, so that the list can
 * only shrink.
 * @type {Record<string, string>} scenario:check -> reason
 */
export const KNOWN = {
  'authorization-server-metadata-endpoint:authorization-server-metadata-cimd':
    'a SHOULD: client ID metadata documents come with the registration of clients by themselves; until then they are not advertised',
};

/** The scenarios that must have run; the suite is green when it runs none. */
export const SCENARIOS = ['authorization-server-metadata-endpoint', 'authorization-code-grant'];

/**
 * Everything that is not a success is a problem, unless it is known: a skip, a warning, a scenario without a check, an exit
 * code that no check explains.
 * @param {{ exit: number | null, checks: readonly Check[] }} run
 * @param {Record<string, string>} known
 * @returns {Judgement}
 */
export function judge({ exit, checks }, known = KNOWN) {
  const problems = SCENARIOS.filter((name) => !checks.some(({ scenario }) => scenario === name)).map(
    (name) => `${name}: no check ran`,
  );
  const excused = [];
  let passed = 0;
  for (const { scenario, id, status, why } of checks) {
    const name = `${scenario}:${id}`;
    if (status === 'SUCCESS' && known[name] === undefined) passed += 1;
    else if (status === 'SUCCESS') problems.push(`${name}: passes, but is listed as known not to`);
    else if (status === 'WARNING' && known[name] !== undefined) excused.push(`${name}: ${known[name]}`);
    else problems.push(`${name}: ${status}${why === undefined ? '' : `, ${why}`}`);
  }
  if (exit !== 0 && problems.length === 0) problems.push(`the suite ended with ${exit ?? 'a signal'}`);
  return { passed, known: excused, problems };
}
