import tseslint from 'typescript-eslint';
import { boundaries } from './tools/lint/boundaries.mjs';
import { habits } from './tools/lint/habits.mjs';
import { sqlRules } from './tools/lint/sql.mjs';
import { suffix } from './tools/lint/suffix.mjs';

export default [
  { ignores: ['**/dist', '**/node_modules', '**/coverage', '.nx', '.portcullis'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  ...tseslint.configs.recommended,
  ...boundaries,
  ...suffix,
  ...habits,
  ...sqlRules,
];
