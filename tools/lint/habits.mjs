const forbidden = (selector, message) => ({ selector, message });

/** What a reader of this repository may rely on, as far as a linter sees it. */
const SYNTAX = [
  forbidden('ExportDefaultDeclaration', 'Export by name, so that a thing is called the same everywhere.'),
  forbidden(
    'ExportSpecifier[exported.name="default"]',
    'Export by name, so that a thing is called the same everywhere.',
  ),
  forbidden('TSEnumDeclaration', 'Use a table (`as const`) or a union of literals instead of an enum.'),
  forbidden('ExportAllDeclaration', 'No barrels: import from the file that has it.'),
  forbidden(
    ':matches(ClassDeclaration, TSInterfaceDeclaration, TSTypeAliasDeclaration)[id.name=/(Manager|Helper|Utils?|Impl)$|^Base[A-Z]/]',
    'Name it by what it answers or does: no Manager, Helper, Util, Base, Impl.',
  ),
];

const noIndex = {
  meta: {
    type: 'problem',
    schema: [],
    messages: { index: 'No index.ts: export by subpath, from the file that has it.' },
  },
  create: (context) =>
    /[\\/]index\.[cm]?ts$/.test(context.filename)
      ? { Program: (node) => context.report({ node, messageId: 'index' }) }
      : {},
};
const lines = (max) => ({ 'max-lines': ['error', { max, skipBlankLines: true, skipComments: true }] });

export const habits = [
  {
    files: ['**/*.ts'],
    plugins: { habits: { rules: { 'no-index': noIndex } } },
    rules: { 'habits/no-index': 'error', 'no-restricted-syntax': ['error', ...SYNTAX] },
  },
  { files: ['**/*.{ts,mjs}'], ignores: ['**/*.table.ts'], rules: lines(400) },
  { files: ['apps/*/src/main.ts'], rules: lines(25) },
  {
    files: ['**/*.{ts,mjs}'],
    rules: {
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', ignoreRestSiblings: true }],
      '@typescript-eslint/no-unused-expressions': ['error', { allowShortCircuit: true, allowTernary: true }],
    },
  },
  {
    files: ['**/*.ts'],
    rules: {
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/no-require-imports': 'error',
    },
  },
  // Tests read answers of any shape, and give wrong ones on purpose.
  {
    files: ['**/*.{spec,contract,fixture}.ts', '**/e2e/**/*.ts'],
    rules: { '@typescript-eslint/no-explicit-any': 'off' },
  },
];
