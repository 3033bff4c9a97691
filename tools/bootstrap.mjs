// Plain Node, no dependencies: runs on the system's Node before anything is installed.
// Installs once per lockfile, then proves that `node` on the scripts' PATH is the pinned one, or another that will do.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const WANTED_MAJOR = 24;
const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const bins = join(root, 'node_modules/.bin');
const stamp = join(root, 'node_modules/.install-stamp');
const shell = process.platform === 'win32';
const platform = `${process.platform}-${process.arch}`;

const wanted = `${installedBy()}-${platform}`;
if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
  console.log('> first run, or the lockfile changed: npm ci (about a minute)');
  install();
  linkPinnedNode();
  writeFileSync(stamp, wanted);
}

const version = nodeVersion();
if (version === undefined || Number(version.slice(1).split('.')[0]) < WANTED_MAJOR) {
  console.error(
    `Portcullis needs Node ${WANTED_MAJOR} or newer, PATH gives ${version ?? 'none that runs'}, and there is no pinned ` +
      `binary for ${platform}. Install Node ${WANTED_MAJOR} and run the command again.`,
  );
  process.exit(1);
}

/** A digest of what decides the content of node_modules; a changed script does not. */
function installedBy() {
  const text = (file) => readFileSync(join(root, file), 'utf8');
  const { workspaces, dependencies, devDependencies, optionalDependencies, overrides } = JSON.parse(
    text('package.json'),
  );
  return createHash('sha256')
    .update(text('package-lock.json'))
    .update(JSON.stringify([workspaces, dependencies, devDependencies, optionalDependencies, overrides]))
    .digest('hex');
}

/** Nothing we use needs an install script, so none runs; npm 10 knows no allowScripts. */
function install() {
  const flags = ['--include=dev', '--include=optional', '--ignore-scripts', '--no-audit', '--no-fund'];
  const { status, error } = spawnSync('npm', ['ci', ...flags], { cwd: root, stdio: 'inherit', shell });
  if (error) console.error(`npm could not be run: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}

/** npm 10 installs the optional node-OS-ARCH package but does not link its binary; npm 11 does. */
function linkPinnedNode() {
  const link = join(bins, 'node');
  const target = `../node-${platform}/bin/node`;
  if (!existsSync(link) && existsSync(join(bins, target))) {
    rmSync(link, { force: true });
    symlinkSync(target, link);
  }
  // A binary that this system cannot run (made for another C library) would stand in the way of one that it can.
  if (existsSync(link) && spawnSync(link, ['-v']).status !== 0) rmSync(link, { force: true });
}

/** @returns the version of `node` as scripts see it; undefined when there is none that runs */
function nodeVersion() {
  const { status, stdout } = spawnSync('node', ['-v'], {
    env: { ...process.env, PATH: bins + delimiter + process.env.PATH },
    shell,
  });
  return status === 0 ? stdout.toString().trim() : undefined;
}
