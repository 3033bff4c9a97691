// `npm test`: every check of the repository, one after the other. `npm test -- PATTERN` runs the tests whose path matches.
// REQUIRE_ALL=1 turns every skip into a failure. The last line of the output is the tally, alone.
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { delimiter, join } from 'node:path';
import { coverageReport } from './test/coverage.mjs';
import { closing, tallyOf } from './test/tally.mjs';

const root = join(import.meta.dirname, '..');
const cache = join(root, 'node_modules/.cache/portcullis');
const results = join(cache, 'jest.json');
const patterns = process.argv.slice(2);
const LONGEST_MS = 20 * 60_000;

const env = {
  ...process.env,
  PATH: join(root, 'node_modules/.bin') + delimiter + process.env.PATH,
  // Jest gives modules loaded as ESM back only with their worker, so a worker's heap grows with every file it runs.
  NODE_OPTIONS: [
    process.env.NODE_OPTIONS,
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    '--max-old-space-size=8192',
  ]
    .filter(Boolean)
    .join(' '),
  NX_DAEMON: 'false',
  NX_TUI: 'false',
};
const script = (path, ...args) => [process.execPath, join(root, path), ...args];

const STATIC = [
  ['format', script('node_modules/prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.')],
  ['lint: layers, suffixes, habits', script('node_modules/nx/dist/bin/nx.js', 'run-many', '-t', 'lint')],
  ['types: sources (build)', script('tools/tsc7.mjs', '-b')],
  ['types: specs', script('tools/tsc7.mjs', '-p', 'tsconfig.spec.json')],
  ['lint: promises', script('node_modules/eslint/bin/eslint.js', '-c', 'tools/lint/promises.mjs', '.')],
];
const JEST = script(
  'node_modules/jest/bin/jest.js',
  '--ci',
  `--maxWorkers=${availableParallelism()}`,
  ...(patterns.length === 0 ? ['--coverage'] : []),
  '--json',
  `--outputFile=${results}`,
  ...patterns,
);
/** What this version has no tests for, so that nobody takes its absence for a pass. */
const ABSENT = ['integration tests with containers', 'browser tests', 'tests behind nginx'];

const tallies = [];
const broken = [];
mkdirSync(cache, { recursive: true });
for (const [name, command] of STATIC) {
  const ok = (await stage(name, command)) === 0;
  if (!ok) broken.push(name);
  tallies.push({ passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: 0 });
}

rmSync(results, { force: true });
rmSync(join(root, 'coverage'), { recursive: true, force: true });
const exit = await stage(`tests: unit, contract, end to end${patterns.map((pattern) => ` ${pattern}`).join('')}`, JEST);
const tally = tallyOf(readResults(), exit);
tallies.push(tally);

heading('coverage');
console.log(
  patterns.length === 0
    ? coverageReport(join(root, 'coverage/coverage-summary.json'), root).join('\n')
    : 'not measured: only a part of the tests ran',
);

heading('what did not run');
for (const name of tally.skips) console.log(`skipped: ${name}`);
for (const name of ABSENT) console.log(`${name}: none in this version`);
for (const problem of [...broken, ...tally.problems]) console.log(`FAILED: ${problem}`);

const { line, ok } = closing(tallies, process.env.REQUIRE_ALL === '1');
console.log(`\n${line}`);
process.exitCode = ok ? 0 : 1;

/** Runs one command, its output going straight through. @returns its exit code; null = killed */
async function stage(name, [command, ...args]) {
  heading(name);
  const started = Date.now();
  const child = spawn(command, args, { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] });
  const timer = setTimeout(() => child.kill('SIGKILL'), LONGEST_MS);
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('exit', resolve));
  clearTimeout(timer);
  console.log(`${code === 0 ? 'ok' : 'FAILED'}: ${name}, ${((Date.now() - started) / 1000).toFixed(1)} s`);
  return code;
}

function heading(text) {
  console.log(`\n> ${text}`);
}

/** @returns undefined when Jest died before it wrote them */
function readResults() {
  try {
    return JSON.parse(readFileSync(results, 'utf8'));
  } catch {
    return undefined;
  }
}
