import { appendFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Secrets that the tests of this process were given or made. `npm test` names a folder in PORTCULLIS_SECRETS_DIR, where
 * each process tells of its own; when all tests ran, nothing that any of them printed may hold one (tools/test/secrets.mjs).
 */
const seen = new Map<string, string>();
/** What is shorter could stand in any text. */
const SHORTEST = 12;

/**
 * Remembers a secret.
 * @param what such as `access token`; the only thing that is ever said of it
 * @returns the value as it is
 */
export function secret<T>(what: string, value: T): T {
  if (typeof value !== 'string' || value.length < SHORTEST || seen.has(value)) return value;
  seen.set(value, what);
  const folder = process.env['PORTCULLIS_SECRETS_DIR'];
  if (folder) appendFileSync(join(folder, String(process.pid)), `${JSON.stringify([what, value])}\n`, { mode: 0o600 });
  return value;
}

/** Remembers every secret in an answer of an OAuth endpoint or of the admin API, or in demo.json. */
export function secretsOf<T>(answer: T): T {
  if (Array.isArray(answer)) answer.forEach(secretsOf);
  else if (answer !== null && typeof answer === 'object') {
    for (const [name, value] of Object.entries(answer)) {
      if (SECRET_MEMBERS.includes(name)) secret(name, value);
      else secretsOf(value);
    }
  }
  return answer;
}
const SECRET_MEMBERS = ['access_token', 'refresh_token', 'id_token', 'client_secret', 'password', 'd', 'link'];

/** What is in a text that must be in none, each by its kind. */
export const secretsIn = (text: string): string[] =>
  [...new Set([...seen].filter(([value]) => text.includes(value)).map(([, what]) => what))].sort();

/**
 * @param where such as `the log`
 * @throws Error naming the kinds of the secrets in it
 */
export function expectNoSecrets(where: string, text: string): void {
  const found = secretsIn(text);
  if (found.length > 0) throw new Error(`${where} holds what must not be there: ${found.join(', ')}`);
}
