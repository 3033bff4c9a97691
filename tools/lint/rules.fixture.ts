import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { ESLint } from 'eslint';

export const root = join(import.meta.dirname, '../..');

/** The real configuration on texts that lie at these paths for the length of a test. */
const eslint = new ESLint({ cwd: root });
async function complaints(path: string, text: string): Promise<string> {
  const [result] = await eslint.lintText(text, { filePath: join(root, path) });
  if (result === undefined) throw new Error(`${path} is not linted`);
  return result.messages.map(({ ruleId, message }) => `${ruleId ?? 'broken'}: ${message}`).join('\n');
}

export type Row = readonly [what: string, path: string, text: string];
export type Broken = readonly [...Row, says: RegExp];
export const use = (specifier: string) => `import { a } from '${specifier}';\na();\n`;
export const lines = (n: number) => Array.from({ length: n }, (_, i) => `export const a${i} = ${i};\n`).join('');

/** One rule, by texts that it hears of and texts that it does not. */
export function rules(name: string, rule: string, forbidden: readonly Broken[], allowed: readonly Row[]): void {
  describe(name, () => {
    test.each(forbidden)('%s is an error', async (_what, path, text, says) => {
      const heard = await complaints(path, text);
      expect(heard).toContain(`${rule}: `);
      expect(heard).toMatch(says);
    });
    test.each(allowed)('%s is fine', async (_what, path, text) => {
      expect(await complaints(path, text)).toBe('');
    });
  });
}

/** Without a project graph the boundary rule says nothing at all, so it has to be there. */
export const withGraph = (): void => {
  const nx = createRequire(import.meta.url).resolve('nx/bin/nx.js');
  execFileSync(process.execPath, [nx, 'show', 'projects'], { cwd: root, env: { ...process.env, NX_DAEMON: 'false' } });
};
