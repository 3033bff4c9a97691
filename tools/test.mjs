// `npm test`: every check of the repository, one after the other. `npm test -- PATTERN` runs the tests whose path matches.
// REQUIRE_ALL=1 turns every skip into a failure. The last line of the output is the tally, alone.
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { delimiter, join } from 'node:path';
import { coverageReport } from './test/coverage.mjs';
import { whyNoContainers } from './test/engine.mjs';
import { secretsFolder, secretsPrinted } from './test/secrets.mjs';
import { closing, tallyOf } from './test/tally.mjs';

const root = join(import.meta.dirname, '..');
const cache = join(root, 'node_modules/.cache/portcullis');
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

// the longest first
const STATIC = [
  ['lint: promises', script('node_modules/eslint/bin/eslint.js', '-c', 'tools/lint/promises.mjs', '.')],
  ['format', script('node_modules/prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.')],
  ['lint: layers, suffixes, habits', script('node_modules/nx/dist/bin/nx.js', 'run-many', '-t', 'lint')],
  ['types: sources (build)', script('tools/tsc7.mjs', '-b')],
  ['types: specs', script('tools/tsc7.mjs', '-p', 'tsconfig.spec.json')],
];
/** Jest's command line with `args`, writing what came of it to `file`. */
const jest = (file, ...args) => [
  process.execPath,
  // goes on to the workers: each file starts PGlite anew, and optimizing its code takes longer than the file needs it
  '--liftoff-only',
  join(root, 'node_modules/jest/bin/jest.js'),
  '--ci',
  `--maxWorkers=${availableParallelism()}`,
  `--testSequencer=${join(root, 'tools/test/longest-first.mjs')}`,
  '--json',
  `--outputFile=${file}`,
  ...args,
  ...patterns,
];
const CONTAINERS = 'integration tests with containers';
/** What this version has no tests for, so that nobody takes its absence for a pass. */
const ABSENT = ['browser tests', 'tests behind nginx'];

mkdirSync(cache, { recursive: true });
const secrets = secretsFolder(cache);
env.PORTCULLIS_SECRETS_DIR = secrets.folder;
/** what the tests printed */
const printed = [];

const tallies = [];
const broken = [];
const skipped = [];
// Two at a time: most of them keep one processor busy. None reads what another makes.
const waiting = [...STATIC];
async function statics() {
  for (let next; (next = waiting.shift()) !== undefined;) {
    const [name, command] = next;
    const ok = (await stage(name, command, { apart: true })) === 0;
    if (!ok) broken.push(name);
    tallies.push({ passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: 0 });
  }
}
await Promise.all([statics(), statics()]);

rmSync(join(root, 'coverage'), { recursive: true, force: true });
// A pattern may mean tests of one of the two runs only.
const part = patterns.length > 0;
let ran = await tests('tests: unit, contract, end to end', 'jest.json', part ? '--passWithNoTests' : '--coverage');
const why = await whyNoContainers();
if (why === undefined) {
  const args = ['--config=jest.containers.config.mjs', ...(part ? ['--passWithNoTests'] : [])];
  ran += await tests(`tests: ${CONTAINERS}`, 'jest-containers.json', ...args);
} else {
  skipped.push(`${CONTAINERS} (${why})`);
  tallies.push({ passed: 0, failed: 0, skipped: 1 });
}
if (part && ran === 0) {
  broken.push('no test ran');
  tallies.push({ passed: 0, failed: 1, skipped: 0 });
}

heading('secrets: none in what the tests printed');
const given = secrets.read();
secrets.remove();
const leaks = secretsPrinted(Buffer.concat(printed).toString(), given);
for (const leak of leaks) console.log(leak);
console.log(`${leaks.length === 0 ? 'ok' : 'FAILED'}: looked for ${given.length} secrets that the tests were given`);
if (leaks.length > 0) broken.push('the tests printed secrets');
tallies.push({ passed: leaks.length === 0 ? 1 : 0, failed: leaks.length === 0 ? 0 : 1, skipped: 0 });

heading('coverage');
console.log(
  patterns.length === 0
    ? coverageReport(join(root, 'coverage/coverage-summary.json'), root).join('\n')
    : 'not measured: only a part of the tests ran',
);

heading('what did not run');
for (const name of skipped) console.log(`skipped: ${name}`);
for (const name of ABSENT) console.log(`${name}: none in this version`);
for (const problem of broken) console.log(`FAILED: ${problem}`);

const { line, ok } = closing(tallies, process.env.REQUIRE_ALL === '1');
console.log(`\n${line}`);
process.exitCode = ok ? 0 : 1;

/** One run of Jest: its tally goes to the others, its skips and problems to what is said at the end. @returns how many ran */
async function tests(name, file, ...args) {
  const results = join(cache, file);
  rmSync(results, { force: true });
  const exit = await stage([name, ...patterns].join(' '), jest(results, ...args), { kept: printed });
  const tally = tallyOf(readResults(results), exit, args.includes('--passWithNoTests'));
  tallies.push(tally);
  broken.push(...tally.problems);
  skipped.push(...tally.skips);
  return tally.passed + tally.failed;
}

/**
 * Runs one command. `kept` gets its output; `apart` has it shown when it has ended, for others run beside it.
 * @returns its exit code; null = killed
 */
async function stage(name, [command, ...args], { kept, apart = false }) {
  if (!apart) heading(name);
  const started = Date.now();
  const child = spawn(command, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const held = [];
  for (const [from, to] of [
    [child.stdout, process.stdout],
    [child.stderr, process.stderr],
  ]) {
    from.on('data', (chunk) => {
      kept?.push(chunk);
      if (apart) held.push([to, chunk]);
      else to.write(chunk);
    });
  }
  const timer = setTimeout(() => child.kill('SIGKILL'), LONGEST_MS);
  // `close`, not `exit`: then all it printed has come
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  clearTimeout(timer);
  if (apart) heading(name);
  for (const [to, chunk] of held) to.write(chunk);
  console.log(`${code === 0 ? 'ok' : 'FAILED'}: ${name}, ${((Date.now() - started) / 1000).toFixed(1)} s`);
  return code;
}

function heading(text) {
  console.log(`\n> ${text}`);
}

/** @returns undefined when Jest died before it wrote them */
function readResults(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
