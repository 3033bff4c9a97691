import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** What looks like a secret of ours, whoever made it. */
const SHAPES = [
  ['a client secret', /pcs_[A-Za-z0-9_-]{43}/g],
  ['a JWT with its signature', /eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{40,}/g],
  ['a private key (PEM)', /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/g],
  ['a private key (JWK)', /"d"\s*:\s*"[A-Za-z0-9_-]{40,}"/g],
];
/** begins and ends a colour */
const COLOURS = /\u001b\[[0-9;]*m/g;

/**
 * A folder in which the processes of the tests tell which secrets they were given, see secrets.fixture.ts of libs/service.
 * @param {string} cache a folder of ours
 */
export function secretsFolder(cache) {
  const folder = mkdtempSync(join(cache, 'secrets-'));
  return {
    folder,
    /** @returns {[what: string, value: string][]} */
    read: () =>
      readdirSync(folder).flatMap((file) =>
        readFileSync(join(folder, file), 'utf8')
          .split('\n')
          .filter(Boolean)
          .map((line) => JSON.parse(line)),
      ),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/**
 * What a text holds that must be in none.
 * @param {string} text what the tests printed
 * @param {readonly (readonly [what: string, value: string])[]} secrets what they were given
 * @returns {string[]} one line for each place, which says what is there without showing it
 */
export function secretsPrinted(text, secrets) {
  const plain = text.replace(COLOURS, '');
  /** @type {Map<number, string>} */
  const places = new Map();
  for (const [what, shape] of SHAPES) for (const { index } of plain.matchAll(shape)) places.set(index, what);
  for (const [what, value] of secrets) {
    for (let at = plain.indexOf(value); at >= 0; at = plain.indexOf(value, at + 1))
      places.set(at, `a secret (${what})`);
  }
  return [...places]
    .sort(([a], [b]) => a - b)
    .map(([at, what]) => `${what} in line ${plain.slice(0, at).split('\n').length} of what the tests printed`);
}
