import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checksIn, SUITE_PACKAGE } from './mcp-suite.mjs';

const LONGEST_MS = 3 * 60_000;
const NO_QUESTIONS = {
  ends: 'FAILURE',
  why: 'asks the client something while its call is under way; a server without sessions has no way to, and says so (-32021). From 2026-07-28 on the same is a result that asks for input',
};

/**
 * @typedef {{ ends: 'FAILURE' | 'WARNING', why: string }} Known what the checks of a scenario that does not pass end with
 */

/**
 * What is required of a server in each revision, as the suite's frozen lists have it, and what of it does not pass, with
 * the reason. The numbers are those of a run against a server that lives: with fewer scenarios or checks nothing was shown.
 * @type {Record<string, { scenarios: number, passed: number, known: Record<string, Known> }>}
 */
export const REVISIONS = {
  '2026-07-28': { scenarios: 37, passed: 120, known: {} },
  '2025-11-25': {
    scenarios: 30,
    passed: 55,
    known: {
      'tools-call-sampling': NO_QUESTIONS,
      'tools-call-elicitation': NO_QUESTIONS,
      'elicitation-sep1034-defaults': NO_QUESTIONS,
      'elicitation-sep1330-enums': NO_QUESTIONS,
      'server-sse-multiple-streams': {
        ends: 'WARNING',
        why: 'a warning: it looks for a session id, and sessions are optional; each POST has an answer of its own',
      },
    },
  },
};

/** The names of the scenarios that a revision requires of servers, in the order of the suite's list. */
export function requiredScenarios(revision) {
  const text = readFileSync(join(SUITE_PACKAGE, 'requirements', `${revision}.yaml`), 'utf8');
  const lines = /^server:\n((?: {2}- \S+\n)+)/m.exec(text)?.[1] ?? '';
  return [...lines.matchAll(/- (\S+)/g)].map(([, name]) => name);
}

/**
 * Runs `conformance server --requirements REVISION` against a URL that needs no token.
 * @returns {Promise<{ exit: number | null, checks: import('./judge.mjs').Check[] }>} every check, those that are not required too
 */
export async function runServerSuite(url, revision) {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-server-suite-'));
  const baseline = join(folder, 'baseline.yml');
  const known = Object.keys(REVISIONS[revision].known).map((name) => `  - ${name}\n`);
  writeFileSync(baseline, known.length === 0 ? 'server: []\n' : `server:\n${known.join('')}`);
  const args = ['server', '--url', url, '--requirements', revision, '--expected-failures', baseline];
  const child = spawn(
    process.execPath,
    [join(SUITE_PACKAGE, 'dist/index.js'), ...args, '--output-dir', join(folder, 'out')],
    { stdio: 'ignore', cwd: folder },
  );
  const timer = setTimeout(() => child.kill('SIGKILL'), LONGEST_MS);
  try {
    const exit = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
    return { exit, checks: checksIn(join(folder, 'out')) };
  } finally {
    clearTimeout(timer);
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Every required scenario has to have run, each check of it to have passed, and as many as a server that lives passes. A
 * scenario that is known not to pass has to be one that does not, in the way that is known.
 * @param {string} revision
 * @param {{ exit: number | null, checks: readonly import('./judge.mjs').Check[] }} run
 * @returns {import('./judge.mjs').Judgement & { scenarios: number, notScored: string[] }}
 */
export function judgeServer(
  revision,
  { exit, checks },
  expected = REVISIONS[revision],
  required = requiredScenarios(revision),
) {
  const problems = [];
  const known = [];
  let passed = 0;
  let scenarios = 0;
  for (const scenario of required) {
    const ran = checks.filter((check) => check.scenario === scenario && check.status !== 'INFO');
    const failed = ran.filter(({ status }) => status !== 'SUCCESS');
    passed += ran.length - failed.length;
    const { ends, why } = expected.known[scenario] ?? {};
    const unknown = failed.filter(({ status }) => status !== ends);
    if (ran.length === 0) problems.push(`${revision} ${scenario}: no check ran`);
    else if (unknown.length > 0) problems.push(...unknown.map((check) => `${revision} ${told(check)}`));
    else if (failed.length > 0) known.push(`${revision} ${scenario}: ${why}`);
    else if (ends !== undefined) problems.push(`${revision} ${scenario}: passes, but is listed as known not to`);
    if (ran.length > 0 && failed.length === 0) scenarios += 1;
  }
  const totals = [
    ['scenarios are required', required.length, expected.scenarios],
    ['checks passed', passed, expected.passed],
  ];
  for (const [what, is, was] of totals) {
    if (is !== was) problems.push(`${revision}: ${is} ${what}, where ${was} are expected`);
  }
  if (exit !== 0 && problems.length === 0) problems.push(`${revision}: the suite ended with ${exit ?? 'a signal'}`);
  const others = Map.groupBy(
    checks.filter(({ scenario }) => !required.includes(scenario)),
    ({ scenario }) => scenario,
  );
  const notScored = [...others].map(([scenario, ran]) => `${scenario} ${ran.some(failedCheck) ? 'failed' : 'passed'}`);
  return { passed, known, problems, scenarios, notScored };
}

const failedCheck = ({ status }) => status === 'FAILURE' || status === 'WARNING';
const told = ({ scenario, id, status, why }) => `${scenario}:${id}: ${status}${why === undefined ? '' : `, ${why}`}`;
