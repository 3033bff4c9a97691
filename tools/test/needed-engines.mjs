import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** The fixture that each of the shared servers is used through, and what it is. */
const FIXTURES = {
  'libs/sql/src/postgres.fixture.ts': 'postgres',
  'libs/redis/src/redis.fixture.ts': 'redis',
  'libs/bus/src/kafka.fixture.ts': 'kafka',
};
const ALL = Object.values(FIXTURES);
const SPECS = '{apps,libs}/*/{src,e2e}/**/*.container.spec.ts';
const FROM = /\b(?:from|import)\s*\(?\s*'([^'\n]+)'/g;

/**
 * Which of the shared servers the specs of a run use: what they import, and what that imports, is followed down to the
 * fixtures. One that is not needed is not waited for.
 * @param {string} root of the repository
 * @param {readonly string[]} patterns regular expressions as Jest takes them; none = every spec
 * @returns {Set<string>} all of them when no spec fits, since then Jest chose by other means
 */
export function neededEngines(root, patterns) {
  const tests = patterns.map((pattern) => new RegExp(pattern, 'i'));
  const specs = globSync(SPECS, { cwd: root })
    .map((path) => join(root, path))
    .filter((path) => tests.length === 0 || tests.some((test) => test.test(path)));
  if (specs.length === 0) return new Set(ALL);
  const needed = new Set();
  const seen = new Set(specs);
  for (const file of seen) {
    const engine = FIXTURES[file.slice(root.length + 1).replaceAll('\\', '/')];
    if (engine !== undefined) needed.add(engine);
    for (const [, specifier] of readFileSync(file, 'utf8').matchAll(FROM)) {
      const next = sourceOf(root, file, specifier);
      if (next !== undefined) seen.add(next);
    }
  }
  return needed;
}

/** @returns the file of ours that an import means; undefined = a package's */
function sourceOf(root, file, specifier) {
  const [, project, path] = /^@portcullis\/([^/]+)\/(.+)$/.exec(specifier) ?? [];
  const bases = project
    ? [join(root, 'libs', project, 'src', path), join(root, 'apps', project, 'src', path)]
    : specifier.startsWith('.')
      ? [resolve(dirname(file), specifier.replace(/\.js$/, ''))]
      : [];
  return bases.map((base) => `${base}.ts`).find(existsSync);
}
