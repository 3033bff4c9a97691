// Plain Node, no dependencies: runs on the system's Node before anything is installed.
// Installs once per lockfile, then proves that `node` on the scripts' PATH is the pinned one.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const bins = join(root, 'node_modules/.bin');
const stamp = join(root, 'node_modules/.install-stamp');
const shell = process.platform === 'win32';

const hash = createHash('sha256');
for (const file of ['package-lock.json', 'package.json']) hash.update(readFileSync(join(root, file)));
const wanted = `${hash.digest('hex')}-${process.platform}-${process.arch}`;

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
  console.log('> first run, or the lockfile changed: npm ci (about a minute)');
  const install = spawnSync('npm', ['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund'], {
    cwd: root,
    stdio: 'inherit',
    shell,
  });
  if (install.status !== 0) process.exit(install.status ?? 1);
  linkPinnedNode();
  writeFileSync(stamp, wanted);
}

const version = execFileSync('node', ['-v'], {
  env: { ...process.env, PATH: bins + delimiter + process.env.PATH },
  shell,
})
  .toString()
  .trim();
if (Number(version.slice(1).split('.')[0]) < 24) {
  console.error(
    `Portcullis needs Node 24 or newer, PATH gives ${version}, and there is no pinned binary for ${process.platform}-${process.arch}. Install Node 24 and run the command again.`,
  );
  process.exit(1);
}

/** npm 10 installs the optional node-OS-ARCH package but does not link its binary; npm 11 does. */
function linkPinnedNode() {
  const link = join(bins, 'node');
  const target = `../node-${process.platform}-${process.arch}/bin/node`;
  if (existsSync(link) || !existsSync(join(bins, target))) return;
  rmSync(link, { force: true });
  symlinkSync(target, link);
}
