import { join } from 'node:path';
import tseslint from 'typescript-eslint';

const root = join(import.meta.dirname, '../..');

/**
 * The rules that need types, in one pass over the whole repository with one program: per project they would load the
 * types sixteen times. A promise nobody waits for is an error nobody sees; in a spec it is a test that cannot fail.
 */
export default [
  { ignores: ['**/dist', '**/node_modules', '**/*.mjs', '**/*.js'] },
  {
    files: ['**/*.ts'],
    languageOptions: {
      parser: tseslint.parser,
      parserOptions: { project: join(root, 'tsconfig.spec.json'), tsconfigRootDir: root },
    },
    plugins: { '@typescript-eslint': tseslint.plugin },
    // Comments that speak to the other run mean nothing here; `void promise` is the way to say "on purpose".
    linterOptions: { noInlineConfig: true, reportUnusedDisableDirectives: 'off' },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }],
      '@typescript-eslint/await-thenable': 'error',
    },
  },
];
