import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { SEPARATOR } from './titles.mjs';

const root = join(import.meta.dirname, '../..');
const LONGEST_MS = 15 * 60_000;

/**
 * Runs the spec files through Jest, its output going to the error output.
 * @param {readonly string[]} paths relative to the root
 * @param {number} [longestMs] after which Jest is killed
 * @returns {Promise<{ path: string, titles: string, status: string }[]>} every test of theirs
 * @throws when Jest dies before it writes its results
 */
export async function runSpecs(paths, longestMs = LONGEST_MS) {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-specs-'));
  const file = join(folder, 'jest.json');
  try {
    const child = spawn(
      process.execPath,
      [
        join(root, 'node_modules/jest/bin/jest.js'),
        '--ci',
        `--maxWorkers=${availableParallelism()}`,
        '--json',
        `--outputFile=${file}`,
        '--runTestsByPath',
        ...paths,
      ],
      {
        cwd: root,
        env: { ...process.env, NODE_OPTIONS: NODE_OPTIONS.join(' ') },
        stdio: ['ignore', 'ignore', 'inherit'],
      },
    );
    const timer = setTimeout(() => child.kill('SIGKILL'), longestMs);
    await new Promise((resolve, reject) => child.once('error', reject).once('exit', resolve));
    clearTimeout(timer);
    const { testResults } = JSON.parse(readFileSync(file, 'utf8'));
    return testResults.flatMap(({ name, assertionResults }) =>
      assertionResults.map(({ ancestorTitles, title, status }) => ({
        path: relative(root, name),
        titles: [...ancestorTitles, title].join(SEPARATOR),
        status,
      })),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const NODE_OPTIONS = [
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
  '--max-old-space-size=8192',
];
