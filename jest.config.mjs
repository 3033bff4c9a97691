import { SUFFIXES } from './tools/lint/suffixes.mjs';

const impure = Object.keys(SUFFIXES).filter((suffix) => suffix !== 'pure' && suffix !== 'table');

/** One run over all projects, for tools/test.mjs. `npx nx test PROJECT` runs one of them. */
export default {
  projects: ['<rootDir>/apps/*', '<rootDir>/libs/*', '<rootDir>/tools'],
  // Statements, not lines with their comments as V8 counts; and V8's counters make the property tests several times slower.
  coverageProvider: 'babel',
  coverageReporters: ['json-summary'],
  // What is to be pure is to be tested whole; drivers and shells have contract suites and end-to-end tests instead. The
  // command line tool and the standalone app are programs of files that may touch the machine.
  collectCoverageFrom: [
    '{libs,apps}/*/src/**/*.ts',
    '!apps/{cli,standalone}/**',
    `!**/*.{${impure.join(',')}}.ts`,
    '!**/src/{main,wire,start}.ts',
  ],
};
