// `npm run conformance`: the MCP project's suites, for authorization servers against a gate of its own and for servers
// against fixtures behind the guard, then the table of requirements, each row by the tests it names. `-- --json FILE` writes
// what came out. Exits 1 when anything does not hold.
import { rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { startGate } from './gate.mjs';
import { judge } from './judge.mjs';
import { partsOf, verdictOn } from './match.mjs';
import { runAuthorizationSuite } from './mcp-suite.mjs';
import { bindsUs, isMust, mustsCovered, readRequirements, shapeProblems } from './requirements.mjs';
import { serveFixtures, writeReady } from './server/serve.mjs';
import { judgeServer, REVISIONS, runServerSuite } from './server-suite.mjs';
import { runSpecs } from './specs.mjs';

const HELP = `npm run conformance [-- OPTIONS]

Runs the protocol suites, and the tests that the table of requirements names.
  --json FILE   writes the results
  --suite       only the suites of the MCP project
  --table       only the table of requirements
  --serve       only serves the fixtures of the server suite behind the guard, until it is stopped
  --ready-file FILE  with --serve: where it is, once it is ready
`;
/** The path of a test that is a check of the suite. */
const SUITE = 'mcp-suite';

const options = readOptions();
if (options.help) process.stdout.write(HELP);
else if (options.serve) await serve(options['ready-file']);
else process.exitCode = (await run(options)) ? 0 : 1;

async function run({ json, suite: onlySuite, table: onlyTable }) {
  const documents = await readRequirements();
  const suite = onlyTable ? undefined : await suiteRuns();
  const server = onlyTable ? undefined : await serverRuns();
  const table = onlySuite ? undefined : await tableRuns(documents, suite);
  const problems = [...(suite?.problems ?? []), ...(server?.problems ?? []), ...(table?.problems ?? [])];
  for (const known of [...(suite?.known ?? []), ...(server?.known ?? [])]) say(`known: ${known}`);
  for (const problem of problems) say(`FAILED: ${problem}`);
  if (json !== undefined) {
    const results = { ok: problems.length === 0, suite, server, table: table?.documents, problems };
    writeFileSync(resolve(process.env.INIT_CWD ?? '.', json), `${JSON.stringify(results, null, 2)}\n`);
  }
  say(`\n${counted(suite, server, table)}`);
  return problems.length === 0;
}

/** Once naming the resource, as clients of today do, and once not, as the suite does by itself. */
async function suiteRuns() {
  say('> @modelcontextprotocol/conformance authorization');
  const { ready, demo, stop } = await startGate();
  try {
    const runs = [];
    for (const resource of [ready.mcp, undefined]) {
      const of = {
        issuer: ready.authServer,
        clientId: demo.clients.desktop.client_id,
        person: demo.users[0],
        resource,
      };
      const { exit, checks } = await runAuthorizationSuite(of);
      const judgement = judge({ exit, checks });
      const named = resource === undefined ? 'no resource named' : 'resource named';
      for (const { scenario, id, status } of checks) say(`  ${status.padEnd(8)} ${scenario}:${id} (${named})`);
      runs.push({ resource: resource ?? null, checks, ...judgement });
    }
    const all = (key) => [...new Set(runs.flatMap((one) => one[key]))];
    const passed = runs.reduce((sum, one) => sum + one.passed, 0);
    return { passed, known: all('known'), problems: all('problems'), runs };
  } finally {
    await stop();
  }
}

/** The suite for servers, at the wire of each revision that it has a list of requirements for. */
async function serverRuns() {
  const { ready, close } = await serveFixtures();
  try {
    const runs = [];
    for (const [revision, { scenarios: required }] of Object.entries(REVISIONS)) {
      say(`> @modelcontextprotocol/conformance server --requirements ${revision}`);
      const run = await runServerSuite(ready.injectingProxy, revision);
      const judgement = judgeServer(revision, run);
      runs.push({ revision, required, ...judgement, checks: run.checks });
      say(`  ${judgement.scenarios} of ${required} required scenarios, ${judgement.passed} checks passed`);
      say(`  not scored: ${judgement.notScored.join(', ')}`);
    }
    const all = (key) => runs.flatMap((one) => one[key]);
    return { known: all('known'), problems: all('problems'), runs };
  } finally {
    await close();
  }
}

/** Serves the fixtures until a signal comes. */
async function serve(readyFile) {
  const stopped = new Promise((stop) => ['SIGINT', 'SIGTERM'].forEach((signal) => process.once(signal, stop)));
  const { ready, close } = await serveFixtures();
  const file = readyFile === undefined ? undefined : resolve(process.env.INIT_CWD ?? '.', readyFile);
  if (file !== undefined) writeReady(file, ready);
  say(JSON.stringify(ready, null, 2));
  await stopped;
  if (file !== undefined) rmSync(file, { force: true });
  await close();
}

async function tableRuns(documents, suite) {
  const shape = shapeProblems(documents);
  const named = documents.flatMap(({ rows }) => rows.flatMap(({ tests = [] }) => tests));
  const paths = [...new Set(named.map((test) => partsOf(test).path))].filter((path) => path !== SUITE).sort();
  say(`> the table of requirements: ${new Set(named).size} tests in ${paths.length} files`);
  const ran = [...(await runSpecs(paths)), ...suiteChecks(suite)];
  const results = documents.map((document) => resultOf(document, ran, suite === undefined));
  for (const { id, rows, musts, covered, passed, notApplicable, open } of results) {
    const counts = `${rows.length} rows, ${musts} MUSTs (${covered} covered)`;
    say(`  ${id.padEnd(9)} ${counts}: ${passed} passed, ${notApplicable} not applicable, ${open} open`);
  }
  return { documents: results, problems: [...shape, ...results.flatMap(({ problems }) => problems)] };
}

function resultOf(document, ran, withoutSuite) {
  const rows = document.rows.map((row) => {
    if (!bindsUs(row)) return { ...row, result: 'not-applicable' };
    if (row.open !== undefined) return { ...row, result: 'open' };
    const asked = row.tests.filter((test) => !(withoutSuite && partsOf(test).path === SUITE));
    const failed = asked.flatMap((test) => {
      const { ok, why } = verdictOn(test, ran);
      return ok ? [] : [`${test}: ${why}`];
    });
    return { ...row, result: failed.length === 0 ? 'passed' : 'failed', ...(failed.length > 0 && { failed }) };
  });
  const count = (result) => rows.filter((row) => row.result === result).length;
  return {
    id: document.id,
    musts: document.musts,
    covered: mustsCovered(document),
    passed: count('passed'),
    failed: count('failed'),
    notApplicable: count('not-applicable'),
    open: count('open'),
    // A test that a row names and that does not pass is wrong, whatever the level.
    problems: rows.flatMap(({ id, level, failed = [] }) => failed.map((each) => `${id} (${level}): ${each}`)),
    rows,
  };
}

/** Checks of the suite as tests: passed when they passed in every run. */
function suiteChecks(suite) {
  const checks = suite?.runs.flatMap((one) => one.checks) ?? [];
  return checks.map(({ id, status }) => ({
    path: SUITE,
    titles: id,
    status: status === 'SUCCESS' ? 'passed' : status.toLowerCase(),
  }));
}

function counted(suite, server, table) {
  const rows = table?.documents.flatMap((one) => one.rows) ?? [];
  const musts = rows.filter((row) => isMust(row) && row.result === 'passed').length;
  const failed = rows.filter(({ result }) => result === 'failed').length;
  return [
    ...(suite
      ? [`suite: ${suite.passed} checks passed, ${suite.known.length} known, ${suite.problems.length} failed`]
      : []),
    ...(server?.runs ?? []).map(
      ({ revision, scenarios, required, passed }) =>
        `server, ${revision}: ${scenarios} of ${required} required scenarios passed, ${passed} checks`,
    ),
    ...(table ? [`table: ${rows.length} rows, ${musts} MUST rows passed, ${failed} rows failed`] : []),
  ].join('\n');
}

function readOptions() {
  const flag = { type: 'boolean', default: false };
  try {
    const { values } = parseArgs({
      options: {
        json: { type: 'string' },
        suite: flag,
        table: flag,
        serve: flag,
        help: flag,
        'ready-file': { type: 'string' },
      },
    });
    return values;
  } catch (error) {
    return wrongUse(error.message);
  }
}

function wrongUse(message) {
  process.stderr.write(`${message}\n\n${HELP}`);
  process.exit(2);
}

function say(line) {
  process.stdout.write(`${line}\n`);
}
